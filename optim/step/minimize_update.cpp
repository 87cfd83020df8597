#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/norm.h>
#include <oxbow/ops/norm/batch_norm.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/step/step_builder.h>

#include <algorithm>
#include <utility>

namespace oxbow::optim::internal {

StepBuilder::ReadRate StepBuilder::learning_rate(const Rate& rate, const std::string& group,
                                                 const std::string& within) {
  const Value variable = number("learning_rate", rate.at(0));
  out_.rates.push_back({group, rate, variable});
  if (rate.constant()) return {variable, variable};
  const std::vector<Remembered> memory = rate.remembers();
  if (memory.empty()) return {variable, in_order(graph_, [&] { return rate.value(cast(out_.step, f64)); })};
  return {variable, scheduled(rate, memory, within)};
}

// The rate by a schedule that looks at results, with what it keeps and how that changes after an epoch.
Value StepBuilder::scheduled(const Rate& rate, const std::vector<Remembered>& memory, const std::string& within) {
  const std::string place = within + "plateau";
  const OriginGuard guard = scope(place);
  std::map<std::string, int> times;  // of two plateaus in a sequence the second has "scale_2"
  const auto unlike = [&](const std::string& name) {
    const int n = ++times[name];
    return n == 1 ? name : name + "_" + std::to_string(n);
  };
  std::vector<Value> before;
  for (const Remembered& r : memory) before.push_back(number(unlike(r.name), r.first));
  Observer observer;
  std::vector<Value> results;
  for (const std::string& monitor : rate.monitors()) {
    const std::string name = unlike("result");
    results.push_back(input(graph_, name, f64, std::span<const Dim>()));
    observer.results.push_back({monitor, options_.scope + "/" + place + "/" + name});
  }
  const std::vector<Value> after = in_order(graph_, [&] {
    return rate.observe({cast(out_.step, f64), results, before});
  });
  for (std::size_t i = 0; i < before.size(); ++i) observer.updates.push_back(assign(before[i], after[i]));
  out_.observers.push_back(std::move(observer));
  return in_order(graph_, [&] { return rate.value(cast(out_.step, f64), before); });
}

// A rate that is computed is there to be read.
void StepBuilder::show(const ReadRate& rate) {
  if (!rate.now.same(rate.variable)) set(rate.variable, rate.now);
}

StepBuilder::RateGroup StepBuilder::rate_group(const Group& group, int number, Value rate) {
  const Optimizer base = group.optimizer.value_or(optimizer_);
  const Optimizer own = group.weight_decay ? base.with("weight_decay", *group.weight_decay, Location{}) : base;
  if (group.optimizer) {
    const std::string name = "group_" + std::to_string(number);
    const OriginGuard guard = scope(name);
    const ReadRate own_rate = learning_rate(own.learning_rate(), group.pattern, name + "/");
    show(own_rate);
    rate = own_rate.now;
  }
  return {own, group.rate == 1 ? rate : rate * group.rate};
}

void StepBuilder::update(Value rate, const std::vector<Value>& gradients) {
  std::map<int, RateGroup> rate_groups{{-1, {optimizer_, rate}}};
  for (const int k : groups_)
    if (!rate_groups.contains(k)) {
      const Group& group = options_.groups[static_cast<std::size_t>(k)];
      try {
        rate_groups.emplace(k, rate_group(group, k + 1, rate));
      } catch (const Error& e) {
        throw Error("minimize: parameter group " + oxbow::internal::in_quotes(group.pattern) + ": " + e.what() +
                    at_line(at_));
      }
    }
  for (std::size_t i = 0; i < out_.parameters.size(); ++i) {
    RateGroup& group = rate_groups.at(groups_[i]);
    const std::string name(group.optimizer.name());
    Step s = step_for(group, out_.parameters[i].dtype());
    const OriginGuard guard = scope(name + "/" + variable_of(out_.parameters[i]).name);
    update(group.optimizer, std::move(s), out_.parameters[i], gradients[i]);
  }
}

// What all parameters of a dtype share in a group.
const Step& StepBuilder::step_for(RateGroup& group, DType dtype) {
  const auto [place, is_new] = group.of.try_emplace(dtype);
  Step& s = place->second;
  if (!is_new) return s;
  const OriginGuard guard = scope(std::string(group.optimizer.name()));
  if (group.of.size() == 1) group.shared = shared(group);
  const auto round = [&](Value v) { return is_float(v.dtype()) && v.dtype() != dtype ? cast(v, dtype) : v; };
  s.count = count_;
  s.rate = round(group.rate);
  for (const SharedValue& v : group.shared) s.shared.push_back({v.name, round(v.value)});
  return s;
}

std::vector<SharedValue> StepBuilder::shared(const RateGroup& group) {
  std::vector<SharedValue> named;
  const std::vector<Value> values = in_order(graph_, [&] {
    named = group.optimizer.shared(group.rate, count_);
    std::vector<Value> built;
    for (const SharedValue& v : named) built.push_back(v.value);
    return built;
  });
  for (std::size_t i = 0; i < named.size(); ++i) named[i].value = values[i];
  return named;
}

Value StepBuilder::slot_of(const Optimizer& optimizer, const Slot& slot, Value p) {
  if (slot.name.text == optimizer.sum())
    if (const auto known = sums_.find(p.node_id()); known != sums_.end()) return known->second;
  const OriginGuard guard = scope(std::string(optimizer.name()) + "/" + variable_of(p).name);
  const Value made = state(std::string(slot.name.text), slot.type, slot.init);
  if (slot.name.text == optimizer.sum()) sums_.emplace(p.node_id(), made);
  return made;
}

void StepBuilder::update(const Optimizer& optimizer, Step s, Value p, Value gradient) {
  const ops::Variable& v = variable_of(p);
  s.parameter = p;
  s.gradient = gradient;
  s.optimizer = optimizer.name();
  s.at = at_;
  Value average = p;
  for (const Slot& slot : optimizer.slots(v)) {
    s.slots.push_back({slot.name, slot_of(optimizer, slot, p)});
    if (slot.name.text == optimizer.average()) average = s.slots.back().value;
  }
  const std::vector<Value> updated = in_order(graph_, [&] {
    const Updated u = optimizer.update(s);
    std::vector<Value> values;
    for (const SlotValue& slot : u.slots) values.push_back(slot.value);
    values.push_back(u.parameter);
    return values;
  });
  written_.push_back(set(p, updated.back()));
  for (std::size_t k = 0; k < s.slots.size(); ++k) set(s.slots[k].value, updated[k]);
  if (options_.average.index() != 0) {
    average = state("average", v);
    const Value mean = in_order(graph_, [&] { return averaged(options_.average, average, p, updated.back(), count_); });
    set(average, mean);
  }
  out_.averages.push_back(average);
}

// Statistics that layers keep are those of the weights that trained, not of their average.
void StepBuilder::keep_statistics() {
  const auto same = [](Value a, Value b) { return a.same(b); };
  if (std::equal(out_.averages.begin(), out_.averages.end(), out_.parameters.begin(), same)) return;
  for (NodeId i = 0; i <= out_.loss.node_id(); ++i) {
    const Node n = graph_.node(i);
    if (!needed_[static_cast<std::size_t>(i)] || !n.op().is<ops::BatchMoments>()) continue;
    for (int k = 0; k < 2; ++k) {
      const Value running = n.input(k + 1);
      if (!running.node().op().is<ops::Variable>()) continue;
      auto known = std::find_if(out_.statistics.begin(), out_.statistics.end(),
                                [&](const Statistic& s) { return s.running.same(running); });
      if (known == out_.statistics.end())
        known = out_.statistics.insert(known, {{}, running, state("average", variable_of(running))});
      known->batches.push_back(n.output(k));
    }
  }
  if (out_.statistics.empty()) return;
  const OriginGuard guard = scope("average");
  out_.refreshed_at = state("refreshed_at", {i64, {}});
}

}  // namespace oxbow::optim::internal
