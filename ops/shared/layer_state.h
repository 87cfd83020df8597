// What layers are handles to (ops/layers/layer.h), and how they make and find their variables. Variables are found by
// name, as nodes get other numbers while a function like `in_order` or `repeat` builds.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/initializers.h>
#include <oxbow/ops/layers/layer.h>

#include <functional>
#include <initializer_list>
#include <optional>

namespace oxbow::ops {

class LayerState {
 public:
  /// `kind` is what users write ("Dense"), `word` what messages and scopes say ("dense"); `asked` the user's name for
  /// it.
  LayerState(const char* kind, const char* word, std::string asked = {}, bool trainable = true)
      : kind_(kind), word_(word), asked_(std::move(asked)), trainable_(trainable) {}
  virtual ~LayerState() = default;

  virtual Value call(Value x, At at) = 0;
  /// The layers that it was made of.
  virtual std::vector<Layer> parts() const { return {}; }

  /// What `build` returns: a call of `layer` on x. It is noted with the call that it is made in, if any: the layers
  /// that a function calls are known only so. Where it throws, the graph and the layers are as they were before. Throws
  /// `Error` where x is empty.
  static Value called(const Layer& layer, Value x, At at, const std::function<Value()>& build);

  /// Its place is the current scope of `g`.
  void place(Graph& g);

  const char* kind() const { return kind_; }
  const char* word() const { return word_; }
  bool trainable() const { return trainable_; }
  bool is_named() const { return !asked_.empty(); }
  const std::string& scope() const { return scope_.str(); }
  const std::optional<Type>& last_output() const { return last_output_; }
  /// Its own variables, without those of the layers in it.
  std::vector<Value> own() const;
  /// One of its own, by its name.
  std::optional<Node> find(std::string_view name) const;
  /// Its parts, and the layers that its calls called.
  std::vector<Layer> inner() const;
  bool was_called() const { return called_; }
  /// Whether it was placed or called in `g`.
  bool is_of(const Graph& g) const { return graph_ && number_ == g.number(); }
  /// `layer` and all that are in it, each once and before those in it.
  static std::vector<Layer> all_of(const Layer& layer);
  static void freeze(const Layer& layer);

  /// What a handle is of; throws `Error` for an empty one.
  static LayerState& of(const Layer& layer);
  static Layer handle(std::shared_ptr<LayerState> state) { return Layer(std::move(state)); }

 private:
  friend class LayerCall;
  class Calling;

  static bool is_gone(const Layer& layer, const Graph& g);
  static bool is_elsewhere(const Layer& layer, const Graph& g);
  void settle_in(Graph& g);
  void forget();

  const char *kind_, *word_;
  std::string asked_;
  bool trainable_;
  Graph* graph_ = nullptr;            // since it was placed or called
  std::uint64_t number_ = 0;          // the graph's
  std::optional<std::string> place_;  // the scope that its own one is in, where it was placed
  // Since it was called. Its variables share this very text, by which they are told from those of a layer that has the
  // same name later, after these were taken back.
  SharedText scope_;
  bool called_ = false;
  Location first_;
  std::vector<std::string> names_;  // of its variables, within the scope
  std::vector<Layer> noted_;        // what its calls called, without its parts
  std::optional<Type> last_output_;
};

/// A call: nodes that are built until its end are in the layer's scope, which the first call chooses. `members` are
/// nodes that a layer of this kind has: the scope is one that has none of them.
class LayerCall {
 public:
  LayerCall(LayerState& layer, Value x, std::initializer_list<std::string_view> members, At at);
  LayerCall(const LayerCall&) = delete;
  LayerCall& operator=(const LayerCall&) = delete;

  /// The variable of this name, made by the first call. Throws `Error` where it is of another type.
  Value parameter(std::string_view name, const Type& type, const Initializer& initializer);
  /// One that is never trained.
  Value state(std::string_view name, const Type& type, const Initializer& initializer);
  /// Whether it chose the scope: parts whose sizes follow from x are made now.
  bool is_first() const { return is_first_; }

 private:
  Value made(std::string_view name, const Type& type, const Initializer& initializer, bool trainable);

  LayerState& layer_;
  Value x_;
  At at_;
  bool is_first_;
  std::optional<OriginGuard> scope_;
};

/// All that is built until the end of the block is from this line, in this phase.
OriginGuard from_line(Graph& g, At at, Phase phase);

/// Throws `Error` that begins with `layer`, and tells of x where there is one.
[[noreturn]] void refuse_layer(const std::string& layer, const std::string& problem, Value x, At at,
                               const std::string& remedy);
/// Throws `Error` unless x is floating point and has so many axes.
void check_layer_input(const std::string& layer, Value x, int least_rank, const std::string& shape, At at);
/// Throws `Error` unless `count`, so many `what`, is at least 1.
void check_layer_size(const std::string& layer, const std::string& what, std::int64_t count, Value x, At at);
/// Throws `Error` where `what`, a size that is left to something else where it is 0, is negative.
void check_given_size(const std::string& layer, const std::string& what, std::int64_t size, Value x, At at);
/// Throws `Error` unless 0 <= rate < 1.
void check_dropout(const std::string& layer, double rate, Value x, At at);
/// Throws `Error` unless it is positive.
void check_epsilon(const std::string& layer, double epsilon, Value x, At at);

/// A layer of this state, in the current scope of `g` where there is one.
template <class State, class... Arguments>
std::shared_ptr<LayerState> new_layer(Graph* g, Arguments&&... arguments) {
  auto state = std::make_shared<State>(std::forward<Arguments>(arguments)...);
  if (g) state->place(*g);
  return state;
}

}  // namespace oxbow::ops
