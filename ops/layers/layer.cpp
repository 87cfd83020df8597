#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/layers/compose.h>
#include <oxbow/ops/shared/layer_state.h>

#include <algorithm>
#include <exception>

namespace oxbow {
namespace ops {
namespace {

std::string within(const std::string& outer, const std::string& name) {
  return outer.empty() ? name : outer + "/" + name;
}

std::string line_of(const Location& at) { return at.known() ? " at " + to_string(at) : ""; }

// The scope of a layer within `outer`: the one asked for, or the kind with the first number that is free.
std::string new_scope(const Graph& g, const std::string& outer, const std::string& asked, const std::string& word,
                      std::initializer_list<std::string_view> members, At at) {
  const auto taken = [&](const std::string& name) -> std::optional<Node> {
    for (const std::string_view member : members)
      if (const auto found = g.find(within(outer, name) + "/" + std::string(member))) return found;
    return {};
  };
  if (!asked.empty()) {
    if (const auto first = taken(asked))
      throw Error(word + ": the name " + internal::in_quotes(first->full_name()) + " is taken" +
                  line_of(first->origin().at) + at_line(at) +
                  "\n  Give this layer another name, or leave .name out: it is numbered then. To use the same weights "
                  "again, call the same layer again");
    return within(outer, asked);
  }
  std::string name = word;
  for (int k = 1; taken(name); ++k) name = word + "_" + std::to_string(k);
  return within(outer, name);
}

Origin in_scope(const Graph& g, const std::string& scope) {
  Origin origin = g.origin();
  origin.at = {};
  origin.scope = scope;
  return origin;
}

void add_variables(const Layer& layer, std::vector<Value>& all) {
  const LayerState& state = LayerState::of(layer);
  for (const Value& v : state.own())
    if (std::none_of(all.begin(), all.end(), [&](const Value& other) { return other.same(v); })) all.push_back(v);
  for (const Layer& l : state.inner())
    if (l) add_variables(l, all);
}

// A function of a value.
class LambdaState : public LayerState {
 public:
  explicit LambdaState(Activation function) : LayerState("Lambda", "lambda"), function_(std::move(function)) {}
  Value call(Value x, At at) override { return function_ ? function_(x, at) : x; }

 private:
  Activation function_;
};

}  // namespace

void LayerState::place(Graph& g) {
  graph_ = &g;
  place_ = g.origin().scope.str();
}

Value LayerState::gave(Value y) {
  called_ = true;
  if (y) last_output_ = y.type();
  return y;
}

std::optional<Node> LayerState::find(std::string_view name) const {
  if (scope_.empty() || !graph_) return {};
  return graph_->find(scope_ + "/" + std::string(name));
}

std::vector<Value> LayerState::own() const {
  std::vector<Value> all;
  for (const std::string& name : names_)
    if (const auto found = find(name)) all.push_back(found->output());
  return all;
}

void LayerState::freeze() {
  if (called_)
    throw Error(std::string(word_) + ": it is too late to freeze " + internal::in_quotes(scope_) +
                ", whose variables are made\n  Freeze a layer before its first call");
  trainable_ = false;
  for (const Layer& l : inner())
    if (l) of(l).freeze();
}

LayerState& LayerState::of(const Layer& layer) {
  if (!layer.state_) throw Error("the layer is empty\n  Make it first: Layer l = Dense(10)");
  return *layer.state_;
}

LayerCall::LayerCall(LayerState& layer, Value x, std::initializer_list<std::string_view> members, At at)
    : layer_(layer),
      x_(x),
      at_(at),
      is_first_(layer.scope_.empty()),
      made_before_(layer.names_.size()),
      exceptions_(std::uncaught_exceptions()) {
  Graph& g = x.graph();
  if (layer.graph_ && layer.graph_ != &g)
    refuse_layer(layer.word_, "x is of another graph than this layer's" + line_of(layer.first_), x, at,
                 "Make a layer for each graph; variables of the same name share their values in a Store");
  if (is_first_) {
    layer.scope_ =
        new_scope(g, layer.place_ ? *layer.place_ : g.origin().scope.str(), layer.asked_, layer.word_, members, at);
    layer.graph_ = &g;
    layer.first_ = at;
  }
  scope_.emplace(g, in_scope(g, layer.scope_));
}

// A first call that fails before it has made a variable leaves the layer as it was.
LayerCall::~LayerCall() {
  if (is_first_ && std::uncaught_exceptions() > exceptions_ && layer_.names_.size() == made_before_) {
    layer_.scope_.clear();
    if (!layer_.place_) layer_.graph_ = nullptr;
  }
}

Value LayerCall::parameter(std::string_view name, const Type& type, const Initializer& initializer) {
  return made(name, type, initializer, layer_.trainable_);
}

Value LayerCall::state(std::string_view name, const Type& type, const Initializer& initializer) {
  return made(name, type, initializer, false);
}

Value LayerCall::made(std::string_view name, const Type& type, const Initializer& initializer, bool trainable) {
  const bool known = std::find(layer_.names_.begin(), layer_.names_.end(), name) != layer_.names_.end();
  if (known)
    if (const auto found = layer_.find(name)) {
      const Type& its = found->output().type();
      if (its.dtype == type.dtype && its.shape == type.shape) return found->output();
      refuse_layer(layer_.word_,
                   "its " + std::string(name) + " is " + to_string(its) + ", but x needs " + to_string(type), x_, at_,
                   "Give what fits its first call" + line_of(layer_.first_) + ", or make another layer");
    }
  const Value v = drawn(x_.graph(), name, type, initializer, trainable, at_);
  if (!known) layer_.names_.emplace_back(name);
  return v;
}

OriginGuard from_line(Graph& g, At at, Phase phase) {
  return {g, {.at = at, .forward = g.origin().forward, .phase = phase, .scope = g.origin().scope}};
}

void refuse_layer(const std::string& layer, const std::string& problem, Value x, At at, const std::string& remedy) {
  throw BuildError(layer, problem + (x ? "\n  x: " + to_string(x.type()) + " from " + to_string(x.node()) : "") +
                              at_line(at) + "\n  " + remedy);
}

void check_layer_input(const std::string& layer, Value x, int least_rank, const std::string& shape, At at) {
  if (!x) refuse_layer(layer, "x is an empty Value", x, at, "Build it first");
  if (x.rank() < least_rank)
    refuse_layer(layer, "x has " + std::to_string(x.rank()) + " axes, fewer than " + std::to_string(least_rank), x, at,
                 "Reshape it to " + shape);
  if (!is_float(x.dtype())) refuse_layer(layer, "x is not floating point", x, at, "Cast it to f32 first");
}

void check_layer_size(const std::string& layer, const std::string& what, std::int64_t count, Value x, At at) {
  if (count < 1) refuse_layer(layer, "it cannot have " + std::to_string(count) + " " + what, x, at, "Give at least 1");
}

void check_epsilon(const std::string& layer, double epsilon, Value x, At at) {
  if (!(epsilon > 0))
    refuse_layer(layer, "epsilon " + internal::short_number(epsilon) + " is not positive", x, at, "Give 1e-5 or so");
}

}  // namespace ops

Layer::Layer(Activation function) : state_(std::make_shared<ops::LambdaState>(std::move(function))) {}

Value Layer::operator()(Value x, At at) const {
  ops::LayerState& state = ops::LayerState::of(*this);
  if (!x) ops::refuse_layer(state.word(), "x is an empty Value", x, at, "Build it first");
  return state.gave(state.call(x, at));
}

std::string_view Layer::kind() const { return ops::LayerState::of(*this).kind(); }
std::string Layer::name() const { return ops::LayerState::of(*this).scope(); }

std::vector<Value> Layer::variables() const {
  std::vector<Value> all;
  ops::add_variables(*this, all);
  return all;
}

Value Layer::variable(std::string_view name) const {
  const ops::LayerState& state = ops::LayerState::of(*this);
  if (const auto found = state.find(name)) return found->output();
  const std::string word = state.word();
  if (!state.was_called())
    throw Error(word + ": its variables are made at its first call\n  Call it before you ask for " +
                internal::in_quotes(name));
  std::vector<std::string> names;
  for (const Value& v : state.own()) names.push_back(v.node().name());
  throw Error(word + " " + internal::in_quotes(state.scope()) + ": " + internal::no_such("variable", name, names));
}

std::int64_t Layer::parameter_count() const {
  std::int64_t count = 0;
  for (const Value& v : variables()) count += v.shape().count();
  return count;
}

Layer Layer::freeze() const {
  ops::LayerState::of(*this).freeze();
  return *this;
}

}  // namespace oxbow
