#include <oxbow/ops/arithmetic.h>
#include <oxbow/ops/cast.h>
#include <oxbow/ops/compare.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/reduce.h>
#include <oxbow/ops/require_finite.h>
#include <oxbow/optim/minimize.h>

#include <algorithm>
#include <map>

namespace oxbow::optim {
namespace {

[[noreturn]] void fail(const std::string& what, At at, const std::string& remedy) {
  throw Error("minimize: " + what + "\n  at " + to_string(Location(at)) + "\n  " + remedy);
}

// True for the nodes that `value` is computed from, itself included.
std::vector<bool> needed_by(Value value) {
  const Graph& g = value.graph();
  std::vector<bool> needed(static_cast<std::size_t>(g.size()));
  needed[static_cast<std::size_t>(value.node_id())] = true;
  for (NodeId i = value.node_id(); i >= 0; --i) {
    if (!needed[static_cast<std::size_t>(i)]) continue;
    const Node n = g.node(i);
    for (int k = 0; k < n.input_count(); ++k) needed[static_cast<std::size_t>(n.input(k).node_id())] = true;
  }
  return needed;
}

void check(Value loss, const Optimizer& optimizer, const MinimizeOptions& o, At at) {
  if (!loss) fail("the loss is an empty Value", at, "Build it first");
  if (loss.rank() != 0 || !is_float(loss.dtype()))
    fail("the loss " + loss.node().full_name() + " is " + to_string(loss.type()) + ", not a floating-point scalar", at,
         "Take its mean: mean(loss)");
  for (const Value& p : o.parameters)
    if (!p || &p.graph() != &loss.graph() || !p.node().op().is<Variable>())
      fail("a parameter is no variable of the loss's graph", at, "Give what variable() or a layer returned");
  if (o.accumulate < 1)
    fail("accumulate is " + std::to_string(o.accumulate), at, "Give at least 1, the minibatches of a step");
  if (o.samples && (&o.samples.graph() != &loss.graph() || o.samples.rank() != 0))
    fail("the number of samples is no scalar of the loss's graph", at, "count_like(x, {0}) is one");
  try {
    optimizer.check();
    o.clip.check();
    check(o.average);
    if (o.loss_scale) o.loss_scale->check();
  } catch (const Error& e) {
    throw Error(std::string(e.what()) + "\n  at " + to_string(Location(at)));
  }
}

const Variable& variable_of(Value v) { return *v.node().op().as<Variable>(); }

// An optimizer and the rate that it goes at: one for all parameters, and one a group that differs.
struct Pace {
  Optimizer optimizer;
  Value rate;  // f64
  std::vector<Value> shared = {};
  std::map<DType, Step> of = {};  // what parameters of a dtype are given
};

class Builder {
 public:
  Builder(Value loss, const Optimizer& optimizer, const MinimizeOptions& options, At at)
      : g_(loss.graph()), optimizer_(optimizer), options_(options), at_(at), needed_(needed_by(loss)) {
    m_.loss = loss;
  }

  Minimized build() {
    choose_parameters();
    for (const Value& u : g_.updates())
      if (matters(u.node().input(0))) layers_.push_back(u);
    const OriginGuard in_scope = scope("");
    step_ = state("step", {i64, {}});
    const Value rate = learning_rate(optimizer_.learning_rate(), "");
    next_ = step_ + 1.0;
    count_ = cast(next_, f64);
    differentiate();
    if (options_.accumulate > 1) accumulate();
    look_for_nonfinite();
    const Clipped clipped = optim::clipped(options_.clip, m_.parameters, m_.gradients);
    m_.gradient_norm = clipped.global_norm;
    set(step_, next_);
    if (scheduled_) set(m_.state[1], rate);  // there to be read
    update(rate, clipped.gradients);
    m_.updates.insert(m_.updates.end(), layers_.begin(), layers_.end());
    return std::move(m_);
  }

 private:
  bool matters(Value v) const { return needed_[static_cast<std::size_t>(v.node_id())]; }

  OriginGuard scope(const std::string& name) {
    return {
        g_,
        {.at = at_, .forward = -1, .phase = Phase::update, .scope = options_.scope + (name.empty() ? "" : "/" + name)}};
  }

  Value state(const std::string& name, const Type& type, Init init = {}) {
    m_.state.push_back(variable(g_, name, type, std::move(init), false));
    return m_.state.back();
  }
  // Of the name of a parameter, in the scope `of`: "average/dense/weight".
  Value state(const std::string& of, const Variable& parameter) {
    const std::size_t slash = parameter.name.rfind('/');
    if (slash == std::string::npos) {
      const OriginGuard guard = scope(of);
      return state(parameter.name, parameter.type);
    }
    const OriginGuard guard = scope(of + "/" + parameter.name.substr(0, slash));
    return state(parameter.name.substr(slash + 1), parameter.type);
  }
  Value number(const std::string& name, double first) {
    return state(name, {f64, {}}, {.kind = "constant", .a = first});
  }

  // Writes `value` at the step's end, unless the step is skipped.
  void set(Value variable, Value value) {
    m_.updates.push_back(assign(variable, finite_ ? select(finite_, value, variable) : value));
  }

  void choose_parameters() {
    m_.parameters = options_.parameters;
    if (m_.parameters.empty())
      for (const Value& v : variables(g_))
        if (matters(v)) m_.parameters.push_back(v);
    for (const Value& p : m_.parameters)
      if (!matters(p))
        fail("the loss does not depend on " + p.node().full_name(), at_, "Leave it out of the parameters");
    const std::string of_loss = "the loss " + m_.loss.node().full_name();
    if (m_.parameters.empty())
      fail(of_loss + " depends on no trainable variable", at_, "Build it from layers, or from variable(g, ...)");
    std::vector<std::string> names;
    for (const Value& p : m_.parameters) names.push_back(variable_of(p).name);
    try {
      groups_ = grouped(options_.groups, names);
    } catch (const Error& e) {
      throw Error("minimize: " + std::string(e.what()) + "\n  at " + to_string(Location(at_)));
    }
    std::vector<Value> trained;
    std::vector<int> of;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (groups_[i] >= 0 && options_.groups[static_cast<std::size_t>(groups_[i])].frozen) continue;
      trained.push_back(m_.parameters[i]);
      of.push_back(groups_[i]);
    }
    if (trained.empty()) fail("all parameters are frozen by their groups", at_, "Leave one that is trained");
    m_.parameters = trained;
    groups_ = of;
  }

  // The variable, and with a schedule the value that goes into it.
  Value learning_rate(const Rate& rate, const std::string& group) {
    const Value readable = number("learning_rate", rate.at(0));
    if (rate.constant()) return readable;
    scheduled_ = true;
    Value now = in_order(g_, [&] { return rate.value(cast(step_, f64)); });
    const std::vector<Remembered> memory = rate.remembers();
    if (memory.empty()) return now;
    const OriginGuard guard = scope(group + "plateau");
    std::vector<Value> before;
    for (const Remembered& r : memory) before.push_back(number(r.name, r.first));
    Observer observer{
        .monitor = rate.monitor(), .input = options_.scope + "/" + group + "plateau/result", .updates = {}};
    const Value result = input(g_, "result", f64, std::span<const Dim>());
    const std::vector<Value> after = in_order(g_, [&] { return rate.observe(result, before); });
    for (std::size_t i = 0; i < before.size(); ++i) observer.updates.push_back(assign(before[i], after[i]));
    m_.observers.push_back(std::move(observer));
    return now * before[0];
  }

  void differentiate() {
    if (!options_.loss_scale) {
      m_.gradients = gradients(m_.loss, m_.parameters, at_);
      return;
    }
    loss_scale_ = number("loss_scale", options_.loss_scale->initial);
    m_.gradients = gradients(m_.loss, cast(loss_scale_, m_.loss.dtype()), m_.parameters, at_);
    for (Value& g : m_.gradients) g = g * cast(1.0 / loss_scale_, g.dtype());
  }

  Value samples() const {
    if (options_.samples) return cast(options_.samples, f64);
    for (NodeId i = 0; i <= m_.loss.node_id(); ++i) {
      const Node n = g_.node(i);
      const auto* in = n.op().as<Input>();
      if (in && needed_[static_cast<std::size_t>(i)] && std::count(in->free_axes.begin(), in->free_axes.end(), 0))
        return count_like(cast(n.output(), f64), {0});  // of the shape alone
    }
    return constant(g_, 1, f64);
  }

  // Sums of gradients, each times its minibatch's samples; the step divides by all samples.
  void accumulate() {
    const OriginGuard guard = scope("accumulated");
    const Value batches = state("batches", {i64, {}}), before = number("samples", 0), now = samples();
    const Value first = equal(batches, 0.0);  // what was there is of the last step
    const Value all = in_order(g_, [&] { return select(first, 0.0, before) + now; });
    m_.gathering = {assign(batches, batches + 1.0), assign(before, all)};
    m_.updates = {assign(batches, batches * 0.0)};
    for (std::size_t i = 0; i < m_.parameters.size(); ++i) {
      Value& g = m_.gradients[i];
      const Value sums = state("accumulated/sum", variable_of(m_.parameters[i]));
      const Value sum = in_order(g_, [&] { return select(first, 0.0, sums) + g * cast(now, g.dtype()); });
      m_.gathering.push_back(assign(sums, sum));
      g = sum / cast(all, g.dtype());
    }
    m_.gathering.insert(m_.gathering.end(), layers_.begin(), layers_.end());
  }

  void look_for_nonfinite() {
    const bool dynamic = options_.loss_scale && options_.loss_scale->dynamic;
    if (options_.nonfinite == Nonfinite::keep && !dynamic) return;
    if (options_.nonfinite == Nonfinite::fail) {
      for (std::size_t i = 0; i < m_.parameters.size(); ++i)
        m_.updates.push_back(require_finite(sum(m_.gradients[i] * 0.0),  // 0, or NaN
                                            "the gradient of " + variable_of(m_.parameters[i]).name,
                                            "Variables are as before this step. A smaller learning rate or "
                                            "clip.global_norm helps against growing gradients; compile with "
                                            "{.numerics = {.check = CheckNumerics::results}} to find the node"));
      if (!dynamic) return;
    }
    Value zeros;
    for (const Value& g : m_.gradients) {
      const Value own = cast(sum(g * 0.0), f64);
      zeros = zeros ? zeros + own : own;
    }
    const Value finite = equal(zeros, 0.0), skipped = state("skipped", {i64, {}});
    m_.updates.push_back(assign(skipped, select(finite, skipped, skipped + 1.0)));
    if (dynamic) {
      const Value good = number("good_steps", 0);
      const LossScale::Next next = options_.loss_scale->next(loss_scale_, good, finite);
      m_.updates.push_back(assign(loss_scale_, next.scale));
      m_.updates.push_back(assign(good, next.good));
    }
    finite_ = finite;
  }

  Pace pace_of(const Group& group, int number, Value rate) {
    const Optimizer base = group.optimizer.value_or(optimizer_);
    const Optimizer own = group.weight_decay ? base.with("weight_decay", *group.weight_decay) : base;
    if (group.optimizer) {
      const std::string name = "group_" + std::to_string(number);
      const OriginGuard guard = scope(name);
      const bool outer = std::exchange(scheduled_, false);
      const std::size_t place = m_.state.size();
      rate = learning_rate(own.learning_rate(), name + "/");
      if (scheduled_) set(m_.state[place], rate);
      scheduled_ = outer;
    }
    return {own, group.rate == 1 ? rate : rate * group.rate};
  }

  void update(Value rate, const std::vector<Value>& gradients) {
    std::map<int, Pace> paces{{-1, {optimizer_, rate}}};
    for (const int k : groups_)
      if (!paces.contains(k)) {
        const Group& group = options_.groups[static_cast<std::size_t>(k)];
        try {
          paces.emplace(k, pace_of(group, k + 1, rate));
        } catch (const Error& e) {
          throw Error("minimize: parameter group \"" + group.pattern + "\": " + e.what() + "\n  at " +
                      to_string(Location(at_)));
        }
      }
    for (std::size_t i = 0; i < m_.parameters.size(); ++i) {
      Pace& pace = paces.at(groups_[i]);
      const std::string name(pace.optimizer.name());
      Step s = step_for(pace, m_.parameters[i].dtype());
      const OriginGuard guard = scope(name + "/" + variable_of(m_.parameters[i]).name);
      update(pace.optimizer, std::move(s), m_.parameters[i], gradients[i]);
    }
  }

  // What all parameters of a dtype share at one pace.
  const Step& step_for(Pace& pace, DType dtype) {
    const auto [place, is_new] = pace.of.try_emplace(dtype);
    Step& s = place->second;
    if (!is_new) return s;
    const OriginGuard guard = scope(std::string(pace.optimizer.name()));
    if (pace.of.size() == 1) pace.shared = in_order(g_, [&] { return pace.optimizer.shared(pace.rate, count_); });
    const auto round = [&](Value v) { return is_float(v.dtype()) && v.dtype() != dtype ? cast(v, dtype) : v; };
    s.count = count_;
    s.rate = round(pace.rate);
    for (const Value& v : pace.shared) s.shared.push_back(round(v));
    return s;
  }

  void update(const Optimizer& optimizer, Step s, Value p, Value gradient) {
    const Variable& v = variable_of(p);
    s.parameter = p;
    s.gradient = gradient;
    Value average = p;
    for (const Slot& slot : optimizer.slots(v)) {
      s.slots.push_back(state(slot.name, slot.type, slot.init));
      if (slot.name == optimizer.average()) average = s.slots.back();
    }
    const std::vector<Value> updated = in_order(g_, [&] {
      Updated u = optimizer.update(s);
      u.slots.push_back(u.parameter);
      return std::move(u.slots);
    });
    invariant(updated.size() == s.slots.size() + 1, "an optimizer returns another number of slots than it has");
    set(p, updated.back());
    for (std::size_t k = 0; k < s.slots.size(); ++k) set(s.slots[k], updated[k]);
    if (options_.average.index() != 0) {
      average = state("average", v);
      const Value mean = in_order(g_, [&] { return averaged(options_.average, average, p, updated.back(), count_); });
      set(average, mean);
    }
    m_.averages.push_back(average);
  }

  Graph& g_;
  const Optimizer& optimizer_;
  const MinimizeOptions& options_;
  At at_;
  std::vector<bool> needed_;   // by the loss
  std::vector<Value> layers_;  // the layers' own updates
  std::vector<int> groups_;    // of each parameter
  Value step_, next_, count_;
  bool scheduled_ = false;
  Value loss_scale_;
  Value finite_;  // whether this step counts; empty where all do
  Minimized m_;
};

}  // namespace

std::vector<Value> Minimized::fetches() const {
  std::vector<Value> all{loss};
  all.insert(all.end(), updates.begin(), updates.end());
  return all;
}

Minimized minimize(Value loss, const Optimizer& optimizer, MinimizeOptions options, At at) {
  check(loss, optimizer, options, at);
  return Builder(loss, optimizer, options, at).build();
}

}  // namespace oxbow::optim
