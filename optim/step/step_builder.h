// How `minimize` builds a training step; private to optim/step/minimize*.cpp. In the order in which `build` calls them:
//   minimize.cpp            which parameters are trained
//   minimize_gradients.cpp  gradients, their accumulation, and what is done about NaN and Inf
//   minimize_update.cpp     rates, and the optimizers' arithmetic that ends in assigns
//   minimize_norms.cpp      the lengths of gradients and updates
// One thread; used once.
#pragma once

#include <oxbow/graph/leaves.h>
#include <oxbow/optim/minimize.h>

#include <map>

namespace oxbow::optim {

inline const Variable& variable_of(Value v) { return *v.node().op().as<Variable>(); }

class StepBuilder {
 public:
  /// `optimizer` and `options` must outlive it.
  StepBuilder(Value loss, const Optimizer& optimizer, const MinimizeOptions& options, At at);
  Minimized build();

 private:
  // An optimizer and the rate that it goes at: one for all parameters, and one a group that differs.
  struct Pace {
    Optimizer optimizer;
    Value rate;  // f64
    std::vector<Value> shared = {};
    std::map<DType, Step> of = {};  // what parameters of a dtype are given
  };

  bool matters(Value v) const { return needed_[static_cast<std::size_t>(v.node_id())]; }
  OriginGuard scope(const std::string& name);
  Value state(const std::string& name, const Type& type, Init init = {});
  // Of the name of a parameter, in the scope `of`: "average/dense/weight".
  Value state(const std::string& of, const Variable& parameter);
  Value number(const std::string& name, double first);
  // Writes `value` at the step's end, unless the step is skipped; what is written.
  Value set(Value variable, Value value);
  [[noreturn]] void fail(const std::string& what, const std::string& remedy) const;

  void choose_parameters();
  Value learning_rate(const Rate& rate, const std::string& group);
  void differentiate();
  Value samples() const;
  void accumulate();
  void look_for_nonfinite();
  Pace pace_of(const Group& group, int number, Value rate);
  void update(Value rate, const std::vector<Value>& gradients);
  const Step& step_for(Pace& pace, DType dtype);
  void update(const Optimizer& optimizer, Step s, Value p, Value gradient);
  void record_norms();

  Graph& graph_;
  const Optimizer& optimizer_;
  const MinimizeOptions& options_;
  At at_;
  std::vector<bool> needed_;   // by the loss
  std::vector<Value> layers_;  // the layers' own updates
  std::vector<int> groups_;    // of each parameter
  Value step_, next_, count_;
  bool scheduled_ = false;
  Value loss_scale_;
  Value finite_;                // whether this step counts; empty where all do
  std::vector<Value> written_;  // to each parameter
  Minimized out_;
};

}  // namespace oxbow::optim
