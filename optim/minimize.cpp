#include <oxbow/ops/arithmetic.h>
#include <oxbow/ops/cast.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/optim/minimize.h>

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

void check(Value loss, const MinimizeOptions& options, At at) {
  if (!loss) fail("the loss is an empty Value", at, "Build it first");
  if (loss.rank() != 0 || !is_float(loss.dtype()))
    fail("the loss " + loss.node().full_name() + " is " + to_string(loss.type()) + ", not a floating-point scalar", at,
         "Take its mean: mean(loss)");
  for (const Value& p : options.parameters)
    if (!p || &p.graph() != &loss.graph() || !p.node().op().is<Variable>())
      fail("a parameter is no variable of the loss's graph", at, "Give what variable() or a layer returned");
}

}  // namespace

std::vector<Value> Minimized::fetches() const {
  std::vector<Value> all{loss};
  all.insert(all.end(), updates.begin(), updates.end());
  return all;
}

Minimized minimize(Value loss, const Optimizer& optimizer, MinimizeOptions options, At at) {
  check(loss, options, at);
  try {
    optimizer.check();
  } catch (const Error& e) {
    throw Error(std::string(e.what()) + "\n  at " + to_string(Location(at)));
  }
  Graph& g = loss.graph();
  const std::vector<bool> needed = needed_by(loss);
  const auto matters = [&](Value v) { return needed[static_cast<std::size_t>(v.node_id())]; };

  Minimized m;
  m.loss = loss;
  m.parameters = options.parameters;
  if (m.parameters.empty())
    for (const Value& v : variables(g))
      if (matters(v)) m.parameters.push_back(v);
  for (const Value& p : m.parameters)
    if (!matters(p)) fail("the loss does not depend on " + p.node().full_name(), at, "Leave it out of the parameters");
  if (m.parameters.empty())
    fail("the loss " + loss.node().full_name() + " depends on no trainable variable", at,
         "Build it from layers, or from variable(g, ...)");
  m.gradients = gradients(loss, m.parameters, at);

  const auto scope = [&](const std::string& name) {
    return OriginGuard(g, {.at = at, .forward = -1, .phase = Phase::update, .scope = name});
  };
  const OriginGuard in_scope = scope(options.scope);
  const Value step = variable(g, "step", {i64, {}}, {}, false);
  const Rate chosen = optimizer.learning_rate();
  Value rate = variable(g, "learning_rate", {f64, {}}, {.kind = "constant", .a = chosen.at(0)}, false);
  m.state = {step, rate};
  const Value next = step + 1.0;
  m.updates.push_back(assign(step, next));
  if (!chosen.constant()) {
    const Value scheduled = chosen.value(cast(step, f64));
    m.updates.push_back(assign(rate, scheduled));
    rate = scheduled;
  }
  const Value count = cast(next, f64);
  std::vector<Value> shared;  // scalars that all parameters need
  std::map<DType, Step> of;   // as the parameters of each dtype take them
  {
    const OriginGuard guard = scope(options.scope + "/" + std::string(optimizer.name()));
    shared = optimizer.shared(rate, count);
    for (const Value& p : m.parameters) {
      Step& s = of[p.dtype()];
      if (s.count) continue;
      const auto round = [&](Value v) {
        return is_float(v.dtype()) && v.dtype() != p.dtype() ? cast(v, p.dtype()) : v;
      };
      s.count = count;
      s.rate = round(rate);
      for (const Value& v : shared) s.shared.push_back(round(v));
    }
  }

  for (std::size_t i = 0; i < m.parameters.size(); ++i) {
    const Value p = m.parameters[i];
    const Variable& v = *p.node().op().as<Variable>();
    const OriginGuard in_parameter = scope(options.scope + "/" + std::string(optimizer.name()) + "/" + v.name);
    Step s = of[p.dtype()];
    s.parameter = p;
    s.gradient = m.gradients[i];
    for (const Slot& slot : optimizer.slots(v)) s.slots.push_back(variable(g, slot.name, slot.type, slot.init, false));
    const Updated updated = optimizer.update(s);
    invariant(updated.slots.size() == s.slots.size(), "an optimizer returns another number of slots than it has");
    m.updates.push_back(assign(p, updated.parameter));
    for (std::size_t k = 0; k < s.slots.size(); ++k) m.updates.push_back(assign(s.slots[k], updated.slots[k]));
    m.state.insert(m.state.end(), s.slots.begin(), s.slots.end());
  }
  for (const Value& u : g.updates())
    if (matters(u.node().input(0))) m.updates.push_back(u);
  return m;
}

}  // namespace oxbow::optim
