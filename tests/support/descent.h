// One parameter that an optimizer moves along gradients that a test feeds: its state, step by step.
#pragma once

#include <oxbow/ops/ops.h>
#include <oxbow/optim/minimize.h>
#include <oxbow/runtime/program.h>

#include <optional>

namespace oxbow::test {

class Descent {
 public:
  Descent(const optim::Optimizer& optimizer, const Tensor& start) {
    const Value w = variable(g_, "w", start.type());
    const Value slope = input(g_, "slope", start.dtype(), std::vector<Dim>(start.shape().begin(), start.shape().end()));
    step_ = optim::minimize(sum(w * slope), optimizer);
    for (const Value& s : step_.state) state_.push_back(s.node().full_name());
    store_ = Store(g_);
    store_.set("w", start);
    session_.emplace(compile(step_.fetches()), store_);
  }

  void step(const Tensor& gradient) {
    session_->feed("slope", gradient);
    session_->run();
  }
  Tensor parameter() const { return store_.get("w"); }
  /// The slots' names without their scope ("m"), and a slot's value.
  std::vector<std::string> slots() const {
    std::vector<std::string> names;
    for (const std::string& s : state_)
      if (s.find("/w/") != std::string::npos) names.push_back(s.substr(s.rfind('/') + 1));
    return names;
  }
  Tensor slot(const std::string& name) const {
    for (const std::string& s : state_)
      if (s.ends_with("/w/" + name)) return store_.get(s);
    throw Error("no slot " + name);
  }

 private:
  Graph g_;
  optim::Minimized step_;
  std::vector<std::string> state_;
  Store store_;
  std::optional<Session> session_;
};

}  // namespace oxbow::test
