#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/cast.h>
#include <oxbow/optim/step/step_builder.h>

#include <utility>

namespace oxbow::optim {

// The variable, and with a schedule the value that goes into it.
Value StepBuilder::learning_rate(const Rate& rate, const std::string& group) {
  const Value readable = number("learning_rate", rate.at(0));
  if (rate.constant()) return readable;
  scheduled_ = true;
  Value now = in_order(graph_, [&] { return rate.value(cast(step_, f64)); });
  const std::vector<Remembered> memory = rate.remembers();
  if (memory.empty()) return now;
  const OriginGuard guard = scope(group + "plateau");
  std::vector<Value> before;
  for (const Remembered& r : memory) before.push_back(number(r.name, r.first));
  Observer observer{.monitor = rate.monitor(), .input = options_.scope + "/" + group + "plateau/result", .updates = {}};
  const Value result = input(graph_, "result", f64, std::span<const Dim>());
  const std::vector<Value> after = in_order(graph_, [&] { return rate.observe(result, before); });
  for (std::size_t i = 0; i < before.size(); ++i) observer.updates.push_back(assign(before[i], after[i]));
  out_.observers.push_back(std::move(observer));
  return now * before[0];
}

StepBuilder::Pace StepBuilder::pace_of(const Group& group, int number, Value rate) {
  const Optimizer base = group.optimizer.value_or(optimizer_);
  const Optimizer own = group.weight_decay ? base.with("weight_decay", *group.weight_decay, Location{}) : base;
  if (group.optimizer) {
    const std::string name = "group_" + std::to_string(number);
    const OriginGuard guard = scope(name);
    const bool outer = std::exchange(scheduled_, false);
    const std::size_t place = out_.state.size();
    rate = learning_rate(own.learning_rate(), name + "/");
    if (scheduled_) set(out_.state[place], rate);
    scheduled_ = outer;
  }
  return {own, group.rate == 1 ? rate : rate * group.rate};
}

void StepBuilder::update(Value rate, const std::vector<Value>& gradients) {
  std::map<int, Pace> paces{{-1, {optimizer_, rate}}};
  for (const int k : groups_)
    if (!paces.contains(k)) {
      const Group& group = options_.groups[static_cast<std::size_t>(k)];
      try {
        paces.emplace(k, pace_of(group, k + 1, rate));
      } catch (const Error& e) {
        throw Error("minimize: parameter group " + in_quotes(group.pattern) + ": " + e.what() + at_line(at_));
      }
    }
  for (std::size_t i = 0; i < out_.parameters.size(); ++i) {
    Pace& pace = paces.at(groups_[i]);
    const std::string name(pace.optimizer.name());
    Step s = step_for(pace, out_.parameters[i].dtype());
    const OriginGuard guard = scope(name + "/" + variable_of(out_.parameters[i]).name);
    update(pace.optimizer, std::move(s), out_.parameters[i], gradients[i]);
  }
}

// What all parameters of a dtype share at one pace.
const Step& StepBuilder::step_for(Pace& pace, DType dtype) {
  const auto [place, is_new] = pace.of.try_emplace(dtype);
  Step& s = place->second;
  if (!is_new) return s;
  const OriginGuard guard = scope(std::string(pace.optimizer.name()));
  if (pace.of.size() == 1) pace.shared = in_order(graph_, [&] { return pace.optimizer.shared(pace.rate, count_); });
  const auto round = [&](Value v) { return is_float(v.dtype()) && v.dtype() != dtype ? cast(v, dtype) : v; };
  s.count = count_;
  s.rate = round(pace.rate);
  for (const Value& v : pace.shared) s.shared.push_back(round(v));
  return s;
}

void StepBuilder::update(const Optimizer& optimizer, Step s, Value p, Value gradient) {
  const Variable& v = variable_of(p);
  s.parameter = p;
  s.gradient = gradient;
  Value average = p;
  for (const Slot& slot : optimizer.slots(v)) {
    s.slots.push_back(state(slot.name, slot.type, slot.init));
    if (slot.name == optimizer.average()) average = s.slots.back();
  }
  const std::vector<Value> updated = in_order(graph_, [&] {
    Updated u = optimizer.update(s);
    u.slots.push_back(u.parameter);
    return std::move(u.slots);
  });
  invariant(updated.size() == s.slots.size() + 1, "an optimizer returns another number of slots than it has");
  written_.push_back(set(p, updated.back()));
  for (std::size_t k = 0; k < s.slots.size(); ++k) set(s.slots[k], updated[k]);
  if (options_.average.index() != 0) {
    average = state("average", v);
    const Value mean = in_order(graph_, [&] { return averaged(options_.average, average, p, updated.back(), count_); });
    set(average, mean);
  }
  out_.averages.push_back(average);
}

}  // namespace oxbow::optim
