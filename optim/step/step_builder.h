// How `minimize` builds a training step; private to optim/step/minimize*.cpp. In the order in which `build` calls them:
//   minimize.cpp            which parameters are trained
//   minimize_gradients.cpp  gradients, their accumulation, and what is done about NaN and Inf
//   minimize_update.cpp     rates, and the optimizers' arithmetic that ends in assigns
//   minimize_norms.cpp      the lengths of gradients and updates
// One thread; used once.
#pragma once

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/optim/minimize.h>

#include <map>

namespace oxbow::optim::internal {

class StepBuilder {
 public:
  /// `optimizer` and `options` must outlive it.
  StepBuilder(Value loss, const Optimizer& optimizer, const MinimizeOptions& options, At at);
  Minimized build();

 private:
  // An optimizer and its rate: one for all parameters, and one a group that differs.
  struct RateGroup {
    Optimizer optimizer;
    Value rate;  // f64
    std::vector<SharedValue> shared = {};
    std::map<DType, Step> of = {};  // what parameters of a dtype are given
  };
  // A rate's variable, and what this step goes by: the same, unless a schedule computes it.
  struct ReadRate {
    Value variable, now;
  };

  bool matters(Value v) const { return needed_[static_cast<std::size_t>(v.node_id())]; }
  OriginGuard scope(const std::string& name);
  Value state(const std::string& name, const Type& type, Init init = {});
  // Of the name of a parameter, in the scope `of`: "average/dense/weight".
  Value state(const std::string& of, const ops::Variable& parameter);
  Value number(const std::string& name, double first);
  // Writes `value` at the step's end, unless the step is skipped; what is written.
  Value set(Value variable, Value value);
  [[noreturn]] void fail(const std::string& what, const std::string& remedy) const;

  void choose_parameters();
  // `group` is the pattern and `within` the scope of a group with an optimizer of its own; both may be empty.
  ReadRate learning_rate(const Rate& rate, const std::string& group, const std::string& within);
  Value scheduled(const Rate& rate, const std::vector<Remembered>& memory, const std::string& within);
  void show(const ReadRate& rate);
  void differentiate();
  Value samples() const;
  void accumulate();
  void check_differentiable() const;
  // 0 while the gradient of parameter i is finite, and after clipping its square where the optimizer keeps that, and
  // the sum to which it adds that; NaN else.
  Value zero_if_finite(std::size_t i, Value clipped);
  void check_finite(const std::vector<Value>& clipped);
  const Optimizer& optimizer_of(std::size_t parameter) const;
  RateGroup rate_group(const Group& group, int number, Value rate);
  void update(Value rate, const std::vector<Value>& gradients);
  const Step& step_for(RateGroup& group, DType dtype);
  // What the group's optimizer computes once a step.
  std::vector<SharedValue> shared(const RateGroup& group);
  void update(const Optimizer& optimizer, Step s, Value p, Value gradient);
  // The variable of a slot of a parameter; made when it is first asked for, in the scope of both.
  Value slot_of(const Optimizer& optimizer, const Slot& slot, Value p);
  void keep_statistics();
  void record_norms();

  Graph& graph_;
  const Optimizer& optimizer_;
  const MinimizeOptions& options_;
  At at_;
  std::vector<bool> needed_;   // by the loss
  std::vector<Value> layers_;  // the layers' own updates
  std::vector<int> groups_;    // of each parameter
  Value next_, count_;
  Value loss_scale_;
  std::map<NodeId, Value> sums_;  // of parameters: slots that were asked for before the update
  Value finite_;                  // whether this step counts; empty where all do
  std::vector<Value> written_;    // to each parameter
  Minimized out_;
};

}  // namespace oxbow::optim::internal
