#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/layers/compose.h>
#include <oxbow/ops/shared/layer_state.h>

#include <algorithm>

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

Origin in_scope(const Graph& g, const SharedText& scope) {
  Origin origin = g.origin();
  origin.at = {};
  origin.scope = scope;
  return origin;
}

bool are_same(const Layer& a, const Layer& b) { return &LayerState::of(a) == &LayerState::of(b); }

bool contains(const std::vector<Layer>& layers, const Layer& layer) {
  return std::any_of(layers.begin(), layers.end(), [&](const Layer& l) { return are_same(l, layer); });
}

void add_all(const Layer& layer, std::vector<Layer>& all) {
  if (contains(all, layer)) return;
  all.push_back(layer);
  for (const Layer& l : LayerState::of(layer).inner()) add_all(l, all);
}

// A function of a value.
class LambdaState : public LayerState {
 public:
  explicit LambdaState(Activation function) : LayerState("Lambda", "lambda"), function_(std::move(function)) {}
  Value call(Value x, At at) override { return function_(x, at); }

 private:
  Activation function_;
};

}  // namespace

void LayerState::settle_in(Graph& g) {
  graph_ = &g;
  number_ = g.number();
}

void LayerState::place(Graph& g) {
  settle_in(g);
  place_ = g.origin().scope.str();
}

std::optional<Node> LayerState::find(std::string_view name) const {
  if (scope_.empty() || !graph_) return {};
  const auto found = graph_->find(within(scope_.str(), std::string(name)));
  return found && &found->origin().scope.str() == &scope_.str() ? found : std::nullopt;
}

std::vector<Value> LayerState::own() const {
  std::vector<Value> all;
  for (const std::string& name : names_)
    if (const auto found = find(name)) all.push_back(found->output());
  return all;
}

std::vector<Layer> LayerState::inner() const {
  std::vector<Layer> all = parts();
  std::erase_if(all, [](const Layer& l) { return !l; });
  for (const Layer& l : noted_)
    if (!contains(all, l)) all.push_back(l);
  return all;
}

std::vector<Layer> LayerState::all_of(const Layer& layer) {
  std::vector<Layer> all;
  add_all(layer, all);
  return all;
}

void LayerState::freeze(const Layer& layer) {
  const std::vector<Layer> all = all_of(layer);
  for (const Layer& l : all) {
    const LayerState& state = of(l);
    if (state.trainable_ && !state.names_.empty())
      throw Error(std::string(state.word_) + ": it is too late to freeze " + internal::in_quotes(state.scope()) +
                  ", whose variables were made" + line_of(state.first_) +
                  "\n  Freeze a layer before its first call. What is to be trained at other times belongs to a group "
                  "of the optimizer: {.pattern = " +
                  internal::in_quotes(state.scope() + "/*") + ", .frozen = true}");
  }
  for (const Layer& l : all) of(l).trainable_ = false;
}

// Whether `layer` made variables in `g`, and none is left: a function that builds a subgraph made them, and failed.
bool LayerState::is_gone(const Layer& layer, const Graph& g) {
  bool made = false;
  for (const Layer& l : all_of(layer)) {
    const LayerState& state = of(l);
    if (state.names_.empty()) continue;
    if (!state.is_of(g) || !state.own().empty()) return false;
    made = true;
  }
  return made;
}

// Whether variables of `layer` are in another graph: one that a function was called for before, and that may be gone.
bool LayerState::is_elsewhere(const Layer& layer, const Graph& g) {
  const std::vector<Layer> all = all_of(layer);
  return std::any_of(all.begin(), all.end(), [&](const Layer& l) { return !of(l).names_.empty() && !of(l).is_of(g); });
}

void LayerState::forget() {
  if (!place_) graph_ = nullptr;
  scope_ = {};
  called_ = false;
  names_.clear();
  noted_.clear();
  last_output_.reset();
}

LayerState& LayerState::of(const Layer& layer) {
  if (!layer.state_) throw Error("the layer is empty\n  Make it first: Layer l = Dense(10)");
  return *layer.state_;
}

// A call, from before its first node until after its last one.
class LayerState::Calling {
 public:
  Calling(const Layer& layer, Graph& g)
      : layer_(layer),
        state_(of(layer)),
        graph_(g),
        first_(g.size()),
        streams_(g.peek_stream()),
        outer_(innermost && &innermost->graph_ == &g ? innermost : nullptr),
        before_(innermost) {
    if (is_gone(layer, g)) state_.forget();
    is_first_ = !state_.called_;
    noted_before_ = state_.noted_.size();
    if (outer_ && !outer_->state_.trainable_ && state_.trainable_) freeze(layer);
    innermost = this;
  }
  Calling(const Calling&) = delete;
  Calling& operator=(const Calling&) = delete;

  void gave(Value y) {
    state_.called_ = true;
    if (y) state_.last_output_ = y.type();
    std::erase_if(state_.noted_, [&](const Layer& l) { return is_elsewhere(l, graph_); });
    if (!outer_) return;
    if (is_first_) outer_->new_.push_back(layer_);
    outer_->new_.insert(outer_->new_.end(), new_.begin(), new_.end());
    bool is_within_itself = false;
    for (const Calling* c = outer_; c; c = c->outer_) is_within_itself = is_within_itself || &c->state_ == &state_;
    if (!is_within_itself && !contains(outer_->state_.inner(), layer_)) outer_->state_.noted_.push_back(layer_);
  }

  // The call failed.
  void undo() {
    for (const Layer& l : new_) of(l).forget();
    state_.noted_.resize(std::min(noted_before_, state_.noted_.size()));
    if (is_first_) state_.forget();
    graph_.take_back(first_);
    graph_.continue_streams(streams_);
  }

  ~Calling() { innermost = before_; }

 private:
  static thread_local Calling* innermost;  // that is under way

  Layer layer_;
  LayerState& state_;
  Graph& graph_;
  NodeId first_;
  std::int64_t streams_;
  Calling *outer_, *before_;  // within which it is made: of the same graph, of any
  bool is_first_ = false;
  std::size_t noted_before_ = 0;
  std::vector<Layer> new_;  // called for the first time within it
};

thread_local LayerState::Calling* LayerState::Calling::innermost = nullptr;

Value LayerState::called(const Layer& layer, Value x, At at, const std::function<Value()>& build) {
  if (!x) refuse_layer(of(layer).word(), "x is an empty Value", x, at, "Build it first");
  Calling calling(layer, x.graph());
  try {
    const Value y = build();
    calling.gave(y);
    return y;
  } catch (...) {
    calling.undo();
    throw;
  }
}

LayerCall::LayerCall(LayerState& layer, Value x, std::initializer_list<std::string_view> members, At at)
    : layer_(layer), x_(x), at_(at), is_first_(layer.scope_.empty()) {
  Graph& g = x.graph();
  if (layer.graph_ && !layer.is_of(g))
    refuse_layer(layer.word_, "x is of another graph than this layer's" + line_of(layer.first_), x, at,
                 "Make a layer for each graph; variables of the same name share their values in a Store");
  if (is_first_) {
    layer.scope_ =
        new_scope(g, layer.place_ ? *layer.place_ : g.origin().scope.str(), layer.asked_, layer.word_, members, at);
    layer.settle_in(g);
    layer.first_ = at;
  }
  scope_.emplace(g, in_scope(g, layer.scope_));
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

void check_given_size(const std::string& layer, const std::string& what, std::int64_t size, Value x, At at) {
  if (size < 0)
    refuse_layer(layer, what + " is " + std::to_string(size), x, at, "Give at least 1, or 0 for the usual size");
}

void check_dropout(const std::string& layer, double rate, Value x, At at) {
  if (!(rate >= 0 && rate < 1))
    refuse_layer(layer, "dropout is " + internal::short_number(rate) + ", which is not in [0, 1)", x, at,
                 "Give the fraction of elements to drop");
}

void check_epsilon(const std::string& layer, double epsilon, Value x, At at) {
  if (!(epsilon > 0))
    refuse_layer(layer, "epsilon " + internal::short_number(epsilon) + " is not positive", x, at, "Give 1e-5 or so");
}

}  // namespace ops

Layer::Layer(Activation function) : state_(std::make_shared<ops::LambdaState>(std::move(function))) {}

Value Layer::operator()(Value x, At at) const {
  return ops::LayerState::called(*this, x, at, [&] { return state_->call(x, at); });
}

std::string_view Layer::kind() const { return ops::LayerState::of(*this).kind(); }
std::string Layer::name() const { return ops::LayerState::of(*this).scope(); }

std::vector<Value> Layer::variables() const {
  std::vector<Value> all;
  for (const Layer& l : ops::LayerState::all_of(*this))
    for (const Value& v : ops::LayerState::of(l).own()) all.push_back(v);
  return all;
}

std::vector<Value> Layer::parameters() const {
  std::vector<Value> all = variables();
  std::erase_if(all, [](const Value& v) { return !v.node().op().as<ops::Variable>()->trainable; });
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
  ops::LayerState::freeze(*this);
  return *this;
}

}  // namespace oxbow
