#include <oxbow/graph/order/order.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/updates.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/step/step_builder.h>

namespace oxbow::optim {
using namespace internal;

namespace {

[[noreturn]] void refuse(const std::string& what, At at, const std::string& remedy) {
  throw Error("minimize: " + what + at_line(at) + "\n  " + remedy);
}

void check(Value loss, const Optimizer& optimizer, const MinimizeOptions& o, At at) {
  if (!loss) refuse("the loss is an empty Value", at, "Build it first");
  if (loss.rank() != 0 || !is_float(loss.dtype()))
    refuse("the loss " + to_string(loss.node()) + " is " + to_string(loss.type()) + ", not a floating-point scalar", at,
           "Take its mean: mean(loss)");
  for (const Value& p : o.parameters) {
    if (!p || &p.graph() != &loss.graph() || !p.node().op().is<ops::Variable>())
      refuse("a parameter is not a variable of the loss's graph", at, "Give what variable() or a layer returned");
    if (!variable_of(p).trainable)
      refuse("the parameter " + to_string(p.node()) + " is not trainable: it is frozen, or a layer's state", at,
             "Leave it out: layer.parameters() has those that are trained");
  }
  if (const std::string step = o.scope + "/step"; loss.graph().find(step))
    refuse("the graph has an optimizer's state " + oxbow::internal::in_quotes(step) + " already", at,
           "Give this one a scope of its own: {.scope = \"" + o.scope + "_2\"}");
  if (o.accumulate < 1)
    refuse("accumulate is " + std::to_string(o.accumulate), at, "Give at least 1, the minibatches of a step");
  if (o.samples && (&o.samples.graph() != &loss.graph() || o.samples.rank() != 0))
    refuse("the number of samples is not a scalar of the loss's graph", at, "count_like(x, {0}) is one");
  try {
    optimizer.check();
    o.clip.check();
    check(o.average);
    if (o.loss_scale) o.loss_scale->check();
  } catch (const Error& e) {
    throw Error(e.what() + at_line(at));
  }
}

}  // namespace

StepBuilder::StepBuilder(Value loss, const Optimizer& optimizer, const MinimizeOptions& options, At at)
    : graph_(loss.graph()),
      optimizer_(optimizer),
      options_(options),
      at_(at),
      needed_(oxbow::internal::ancestors(loss.graph(), {loss})) {
  out_.loss = loss;
}

Minimized StepBuilder::build() {
  choose_parameters();
  layers_ = updates_of({out_.loss});
  const OriginGuard in_scope = scope("");
  out_.step = state("step", {i64, {}});
  const ReadRate rate = learning_rate(optimizer_.learning_rate(), "", "");
  next_ = out_.step + 1.0;
  count_ = cast(next_, f64);
  differentiate();
  if (options_.accumulate > 1) accumulate();
  const Clipped clipped = optim::clipped(options_.clip, out_.parameters, out_.gradients);
  check_finite(clipped.gradients);
  out_.gradient_norm = clipped.global_norm;
  set(out_.step, next_);
  show(rate);
  update(rate.now, clipped.gradients);
  keep_statistics();
  out_.updates.insert(out_.updates.end(), layers_.begin(), layers_.end());
  if (options_.norms) record_norms();
  return std::move(out_);
}

OriginGuard StepBuilder::scope(const std::string& name) {
  return {
      graph_,
      {.at = at_, .forward = -1, .phase = Phase::update, .scope = options_.scope + (name.empty() ? "" : "/" + name)}};
}

Value StepBuilder::state(const std::string& name, const Type& type, Init init) {
  out_.state.push_back(variable(graph_, name, type, std::move(init), false));
  return out_.state.back();
}

Value StepBuilder::state(const std::string& of, const ops::Variable& parameter) {
  const std::size_t slash = parameter.name.rfind('/');
  if (slash == std::string::npos) {
    const OriginGuard guard = scope(of);
    return state(parameter.name, parameter.type);
  }
  const OriginGuard guard = scope(of + "/" + parameter.name.substr(0, slash));
  return state(parameter.name.substr(slash + 1), parameter.type);
}

Value StepBuilder::number(const std::string& name, double first) {
  return state(name, {f64, {}}, {.kind = Init::Kind::constant, .a = first});
}

Value StepBuilder::set(Value variable, Value value) {
  const Value written = finite_ ? where(finite_, value, variable) : value;
  out_.updates.push_back(assign(variable, written));
  return written;
}

void StepBuilder::fail(const std::string& what, const std::string& remedy) const { refuse(what, at_, remedy); }

void StepBuilder::choose_parameters() {
  out_.parameters = options_.parameters;
  if (out_.parameters.empty())
    for (const Value& v : variables(graph_))
      if (matters(v)) out_.parameters.push_back(v);
  for (const Value& p : out_.parameters)
    if (!matters(p)) fail("the loss does not depend on " + to_string(p.node()), "Leave it out of the parameters");
  const std::string of_loss = "the loss " + to_string(out_.loss.node());
  if (out_.parameters.empty())
    fail(of_loss + " depends on no trainable variable", "Build it from layers, or from parameter(g, ...)");
  std::vector<std::string> names;
  for (const Value& p : out_.parameters) names.push_back(variable_of(p).name);
  try {
    groups_ = grouped(options_.groups, names);
  } catch (const Error& e) {
    throw Error("minimize: " + std::string(e.what()) + at_line(at_));
  }
  std::vector<Value> trained;
  std::vector<int> of;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i] >= 0 && options_.groups[static_cast<std::size_t>(groups_[i])].frozen) continue;
    trained.push_back(out_.parameters[i]);
    of.push_back(groups_[i]);
  }
  if (trained.empty()) fail("all parameters are frozen by their groups", "Leave one that is trained");
  out_.parameters = trained;
  groups_ = of;
}

std::vector<Value> Minimized::fetches() const {
  std::vector<Value> all{loss};
  all.insert(all.end(), updates.begin(), updates.end());
  return all;
}

Minimized minimize(Value loss, const Optimizer& optimizer, MinimizeOptions options, At at) {
  check(loss, optimizer, options, at);
  return StepBuilder(loss, optimizer, options, at).build();
}

}  // namespace oxbow::optim
