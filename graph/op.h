// The op contract: what an op is to the rest of Oxbow. `ops/` and `runtime/` meet here and nowhere else.
//
// An op is a regular value type: attributes are members, `==` is defaulted, and a static `info` says what never
// changes. There is no base class, macro or registration; whatever an op can do is a member function, found by concept:
//
// Required:
//   Type infer(Types in) const;               one output's type; std::vector<Type> for several. Checks its inputs, and
//                                             throws OpError(problem, remedy)
//   Type infer(Types in, const Known& known) const;   the same, for one whose outputs' shapes follow from the values of
//                                             some inputs (`info.by_value`)
// Computing, one of:
//   void run(const Run& r) const;             computes part r.part on views that the plan hands in
//   TileFn tile(Types in) const;              elementwise: the routine for these operands
//   Consumer consume(Types in) const;         reads input 0 once, front to back: a (partial) reduction
//   std::vector<Value> lower(Values in) const;               smaller nodes instead of itself
// Optional:
//   Work work(Types in) const;                parts, scratch, cost (default: one part)
//   P prepare(Types in) const;                instead of `work`: anything expensive that depends on shapes only, made
//                                             once a plan, with a member `Work work`; then computes
//                                             void run(const Run& r, const P& p) const. Where P shall be private to
//                                             the op's source file: Prepared<P>, with the same `run`
//   Grads gradient(const Node& n, Values dy) const;          dy: one an output, empty where nothing flows back
//   std::vector<Flow> flow_back(const Node& n, Flows dy, Flows sums) const;   instead of `gradient`, for what owns
//                                             graphs: sums[i] is what nodes built later let flow to input i, and given
//                                             is that with what the op adds. Of a value that is several inputs the last
//                                             one has the sum
//   Value add_to(Values in, Value sum, Value flows) const;   `sum` plus this op's output, made in less time and memory
//                                             than that output takes (-0 + 0 may be -0), or an empty Value: how
//                                             `gradients` adds up the parts of one value. `flows`, a bool[] or empty:
//                                             whether there is anything to add
//   std::vector<Value> widen(Values in) const;               where an input that is not of `info.any_dtype` is narrow
//                                             (graph/dtype.h): itself on wider inputs, between casts (ops/widen.h)
//   Value simplify(Values in) const;          an equal, cheaper value (same bits!), or an empty Value;
//                                             std::vector<Value> for all of several outputs
//   std::vector<Value> inference(Values in) const;           what stands in for it outside training
//   std::vector<Value> transposed(Values in, std::span<const int> axes) const;
//                                             the order of axes is all the same to it: its outputs, all of one rank,
//                                             with their axes in another order (axis i is axis axes[i] of what it was),
//                                             from inputs that are so transposed themselves if they have that rank and
//                                             are not `info.by_value`. Same bits
//   std::vector<int> moved_axes(Types in) const;             it does nothing but put axes in another order: which one
//                                             each axis of the output was; and
//   Op with_moved_axes(std::vector<int> axes) const;   an op that moves them so
//   Alias alias(Types in) const;              the output is an input's bytes, from an offset on, so that nothing runs;
//                                             std::vector<Alias>: of each output. `run` computes it all the same, for
//                                             callers that give each value bytes of its own
//   std::vector<InputSet> overwrites(Types in) const;        for each output, the inputs whose bytes it may take over
//                                             (default: info.may_overwrite for output 0, none for others)
//   std::optional<Op> with_epilogue(int output, const Tape& tape, Types in) const;
//                                             this op with elementwise steps applied to that output while it is in
//                                             cache: see graph/passes/fusion/epilogue.h
//   std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
//                                             elementwise: one routine for this op and the one that computes that
//                                             operand, whose own operands take its place; same bits
//   static void attributes(auto&& visit)      see graph/attribute.h; one of type Subgraph is a graph that the op owns
//                                             (graph/subgraph.h)
//
// Parts write disjoint bytes and never wait; their number follows from shapes alone. An element's bits depend on inputs
// only, never on part, position or thread. Everything here is const and safe to call from several threads.
#pragma once

#include <oxbow/graph/erased.h>
#include <oxbow/graph/op_info.h>
#include <oxbow/graph/value.h>

#include <array>
#include <cstring>
#include <initializer_list>
#include <optional>

namespace oxbow {

class Op;
namespace internal {
struct Tape;
}

/// The inputs of an op whose values are known before anything runs: constants, the sizes of shapes, and what is
/// computed from them (graph/known.h).
class Known {
 public:
  Known() = default;  ///< nothing is known
  /// Values of a graph; `names` are the op's, for messages. Both outlive this.
  Known(Values values, const Names& names) : values_(values), names_(&names) {}
  Known(std::span<const Tensor> tensors, const Names& names) : tensors_(tensors), names_(&names) {}
  /// The value of input `i`. Throws `OpError` that says on what it depends where it is not known.
  Tensor operator()(int i) const;

 private:
  Values values_;
  std::span<const Tensor> tensors_;
  const Names* names_ = nullptr;
};

/// What running a node takes; a function of types and the instruction set. Flops and bytes are those of all parts
/// together. The schedule is made from what they say about time.
struct Work {
  static constexpr double usual_flops_per_ns = 40;  ///< of one core, of elementwise arithmetic in cache

  std::int64_t parts = 1;    ///< may run in any order and at the same time
  std::int64_t scratch = 0;  ///< bytes of private memory that each part may use, 64-byte aligned, not cleared
  double flops = 0;
  double bytes = 0;
  double flops_per_ns = usual_flops_per_ns;  ///< how fast one core computes them, roughly

  /// So many operations more, which take as long as they take at that speed.
  void add_flops(double more, double per_ns = usual_flops_per_ns) {
    if (!(more > 0)) return;
    flops_per_ns = (flops + more) / (flops / flops_per_ns + more / per_ns);
    flops += more;
  }
};

/// What `prepare` makes of an op for given types: how much work it is, and what its kernel wants to have at hand.
template <class P>
struct Prepared {
  Work work = {};
  std::shared_ptr<const P> plan = {};
};

/// Where an output's bytes are those of an input: `{.input = 0, .offset = 64}`, in bytes. None: it has its own.
struct Alias {
  int input = -1;
  std::int64_t offset = 0;
  explicit operator bool() const { return input >= 0; }
  bool operator==(const Alias&) const = default;
};

/// A value's bytes and type as a kernel sees them. One that is absent has an absent type.
struct ConstView {
  const Type* type = nullptr;
  const std::byte* bytes = nullptr;
};
struct View {
  const Type* type = nullptr;
  std::byte* bytes = nullptr;
};

/// One call of a kernel: the part to compute and where.
struct Run {
  std::span<const ConstView> inputs;  ///< a shape-only or absent input has no bytes
  std::span<const View> outputs;
  std::int64_t part = 0;
  std::int64_t parts = 1;
  std::byte* scratch = nullptr;
  const void* prepared = nullptr;  ///< the `plan` of what `Op::prepare` returned

  /// Whether output `i` must be written: false for an optional one that nobody reads, which has no bytes.
  bool wants(int i) const { return outputs[static_cast<std::size_t>(i)].bytes != nullptr; }
  /// Whether input `i` is given: false for one that is optional and absent.
  bool has(int i) const { return in_type(i).present; }
  const Type& in_type(int i) const { return *inputs[static_cast<std::size_t>(i)].type; }
  const Type& out_type(int i = 0) const { return *outputs[static_cast<std::size_t>(i)].type; }
  template <Element T>
  const T* in(int i) const {
    return reinterpret_cast<const T*>(inputs[static_cast<std::size_t>(i)].bytes);
  }
  template <Element T>
  T* out(int i = 0) const {
    return reinterpret_cast<T*>(outputs[static_cast<std::size_t>(i)].bytes);
  }
  /// The half-open range of `n` items that this part computes: equal shares, earlier parts one longer.
  struct Range {
    std::int64_t begin, end;
  };
  Range share(std::int64_t n) const {
    const std::int64_t each = n / parts, extra = n % parts;
    const std::int64_t begin = part * each + (part < extra ? part : extra);
    return {begin, begin + each + (part < extra ? 1 : 0)};
  }
};

/// An elementwise routine over contiguous lanes: out[i] = f(in[0][i], in[1][i], ...) for i < lanes.
/// `op` points to the op that gave the routine. `out` may be one of the inputs. Lane i's bits depend on lane i only.
using TileFn = void (*)(const void* op, const void* const* in, void* out, std::int64_t lanes);

/// A routine that reads an array once, front to back, and writes something of each chunk of it: the kernel of a
/// reduction. The row-major input is cut into chunks of `chunk` elements, the last one perhaps shorter; an empty input
/// is one empty chunk. For chunk c: `begin`, then `take` with its elements in order, then `end`, which writes to the
/// output array `out` what chunk c alone gives. Chunks may run at the same time and in any order. Every `take` but a
/// chunk's last brings a multiple of `grain` elements, and the bits may not depend on how many: a caller without tiles
/// of its own takes a whole chunk at once. `graph/passes/fusion/fused.h` runs consumers, on an array or on what a chain
/// of elementwise ops has just computed.
struct Consumer {
  std::int64_t chunk = 0;  ///< at least 1; some 16k elements make a good chunk, since parts are whole chunks
  std::int64_t grain = 1;  ///< divides `chunk`; at most 512
  std::int64_t state = 0;  ///< bytes of private memory from `begin` to `end`, 64-byte aligned, not cleared
  std::array<std::int64_t, 4> sizes = {};  ///< the routine's own: row lengths and the like
  void (*begin)(const Consumer& c, void* state) = nullptr;
  /// `in` holds elements `first` to `first + lanes` of the chunk.
  void (*take)(const Consumer& c, void* state, const void* in, std::int64_t first, std::int64_t lanes) = nullptr;
  void (*end)(const Consumer& c, void* state, std::int64_t chunk, std::int64_t elements, void* out) = nullptr;
};

/// Why an op has no gradient: `return NotDifferentiable{"integer result"};`
struct NotDifferentiable {
  std::string reason;
};

/// What flows back to a value. Where branches are, only a run decides whether anything does.
struct Flow {
  Flow() = default;
  Flow(Value s, Value f = {}, bool zero = false) : sum(s), flows(f), zero_if_none(zero) {}
  Value sum = {};             ///< empty where nothing ever flows
  Value flows = {};           ///< whether anything has, a bool[]; empty where it always has
  bool zero_if_none = false;  ///< what the sum is where nothing has flowed: otherwise it may be anything
  explicit operator bool() const { return bool(sum); }
  bool always() const { return !flows; }
};
using Flows = std::span<const Flow>;

/// The gradients of a node's inputs, one an input; an empty Value where the input gets none.
class Grads {
 public:
  Grads(std::initializer_list<Value> values) : values_(values) {}
  Grads(std::vector<Value> values) : values_(std::move(values)) {}
  Grads(NotDifferentiable why) : refusal_(std::move(why.reason)) {}
  const std::vector<Value>& values() const { return values_; }
  /// Why there are no gradients; "" where there are.
  const std::string& refusal() const { return refusal_; }

 private:
  std::vector<Value> values_;
  std::string refusal_;
};

template <class T>
concept InfersTypes = requires(const T& op, Types in) {
  op.infer(in);
}
|| requires(const T& op, Types in, const Known& known) { op.infer(in, known); };

template <class T>
concept HasInfo = requires {
  { T::info } -> std::convertible_to<const OpInfo&>;
};

// In this order: whether an Op can be copied or compared must not depend on itself, so that is asked of ops only.
template <class T>
concept OpType =
    !std::same_as<T, Op> && HasInfo<T> && InfersTypes<T> && std::equality_comparable<T> && std::copy_constructible<T>;

/// What an op can do: its type's members by name, null where it has none. The first argument is the op.
struct OpHooks {
  std::vector<Type> (*infer)(const void*, Types in, const Known& known) = nullptr;
  Work (*work)(const void*, Types in) = nullptr;
  Prepared<void> (*prepare)(const void*, Types in) = nullptr;
  void (*run)(const void*, const Run& r) = nullptr;
  TileFn (*tile)(const void*, Types in) = nullptr;
  Consumer (*consume)(const void*, Types in) = nullptr;
  Grads (*gradient)(const void*, const Node& n, Values dy) = nullptr;
  std::vector<Flow> (*flow_back)(const void*, const Node& n, Flows dy, Flows sums) = nullptr;
  Value (*add_to)(const void*, Values in, Value sum, Value flows) = nullptr;
  std::vector<Value> (*simplify)(const void*, Values in) = nullptr;
  std::vector<Value> (*lower)(const void*, Values in) = nullptr;
  std::vector<Value> (*widen)(const void*, Values in) = nullptr;
  std::vector<Value> (*inference)(const void*, Values in) = nullptr;
  std::vector<Value> (*transposed)(const void*, Values in, std::span<const int> axes) = nullptr;
  std::vector<int> (*moved_axes)(const void*, Types in) = nullptr;
  Op (*with_moved_axes)(const void*, std::vector<int> axes) = nullptr;
  std::vector<Alias> (*alias)(const void*, Types in) = nullptr;
  std::vector<InputSet> (*overwrites)(const void*, Types in) = nullptr;
  std::optional<Op> (*with_epilogue)(const void*, int output, const internal::Tape& tape, Types in) = nullptr;
  std::optional<Op> (*absorb)(const void*, int operand, const Op& producer, Types in) = nullptr;
  // Of ops with attributes.
  std::vector<std::pair<std::string_view, std::shared_ptr<const Graph>>> (*subgraphs)(const void*) = nullptr;
  Op (*with_subgraphs)(const void*, std::span<const std::shared_ptr<const Graph>> graphs) = nullptr;
};

struct OpInterface : erased::Interface<OpInfo> {
  const OpHooks* hooks = nullptr;
};

/// Any op, held by value (shared and immutable). Copies are cheap. Equality is exact: same type, same attributes. Where
/// an op lacks a member, the answer is the default named above, or empty.
class Op : public erased::Any<OpInterface> {
 public:
  template <OpType T>
  Op(T op);  // implicit: append(ArgMax{.axis = 1}, ...)

  std::vector<Type> infer(Types in, const Known& known = {}) const { return hooks().infer(self(), in, known); }
  Work work(Types in) const;
  /// What a plan keeps for `run`: see `Run::prepared`.
  Prepared<void> prepare(Types in) const;
  void run(const Run& r) const {
    if (!has_run()) throw InternalError("an op without a kernel was run");
    hooks().run(self(), r);
  }
  TileFn tile(Types in) const { return has_tile() ? hooks().tile(self(), in) : nullptr; }
  Consumer consume(Types in) const { return has_consume() ? hooks().consume(self(), in) : Consumer(); }
  Grads gradient(const Node& n, Values dy) const;
  /// Of an op that `has_flow_back` only.
  std::vector<Flow> flow_back(const Node& n, Flows dy, Flows sums) const;
  Value add_to(Values in, Value sum, Value flows) const;
  /// All outputs' equals; none where the op declines.
  std::vector<Value> simplify(Values in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const;
  /// Whether it has to be widened before it runs on this input, or on inputs of these types.
  bool widens(int input, DType dtype) const {
    return has_widen() && is_narrow(dtype) && !info().any_dtype.contains(input);
  }
  bool widens(Types in) const;
  std::vector<Value> inference(Values in) const;
  /// Of an op that `has_transposed` only.
  std::vector<Value> transposed(Values in, std::span<const int> axes) const {
    return hooks().transposed(self(), in, axes);
  }
  /// Of an op that `has_moved_axes` only, as what follows.
  std::vector<int> moved_axes(Types in) const { return hooks().moved_axes(self(), in); }
  Op with_moved_axes(std::vector<int> axes) const { return hooks().with_moved_axes(self(), std::move(axes)); }
  /// Of each output whose bytes it is; none where all have their own.
  std::vector<Alias> alias(Types in) const { return hooks().alias ? hooks().alias(self(), in) : std::vector<Alias>(); }
  /// For each output the inputs that it may overwrite: an input given to an output must have as many bytes.
  std::vector<InputSet> overwrites(Types in) const;
  std::optional<Op> with_epilogue(int output, const internal::Tape& tape, Types in) const;
  /// `in` are the types of this op's operands.
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
  /// The graphs that the op owns, by the names of their attributes.
  std::vector<std::pair<std::string_view, std::shared_ptr<const Graph>>> subgraphs() const {
    return hooks().subgraphs ? hooks().subgraphs(self()) : decltype(subgraphs())();
  }
  /// The same op with other graphs in the place of those, in their order.
  Op with_subgraphs(std::span<const std::shared_ptr<const Graph>> graphs) const;
  std::size_t hash() const;

  bool has_run() const { return hooks().run; }
  bool has_tile() const { return hooks().tile; }
  bool has_lower() const { return hooks().lower; }
  bool has_simplify() const { return hooks().simplify; }
  bool has_inference() const { return hooks().inference; }
  bool has_transposed() const { return hooks().transposed; }
  bool has_moved_axes() const { return hooks().moved_axes; }
  bool has_consume() const { return hooks().consume; }
  bool has_add_to() const { return hooks().add_to; }
  bool has_widen() const { return hooks().widen; }
  bool has_flow_back() const { return hooks().flow_back; }
  bool has_epilogue() const { return hooks().with_epilogue; }
  /// What a TileFn takes as `op`.
  const void* self() const { return model_->self; }

  bool operator==(const Op&) const = default;

 private:
  const OpHooks& hooks() const { return *model_->hooks; }
  template <OpType T>
  struct Model;
};

}  // namespace oxbow

#include <oxbow/graph/op_model.h>  // how a value type becomes an Op
