// How a value type becomes an `Op`: which of the members that an op may have it has. Included by op.h only.
#pragma once

#include <oxbow/graph/op.h>

namespace oxbow {

class Subgraph;

template <class T>
struct PlanOf {  ///< what `run` is handed of what `prepare` returned
  using type = T;
};
template <class P>
struct PlanOf<Prepared<P>> {
  using type = P;
};

template <class T>
using PreparedPlan = typename PlanOf<decltype(std::declval<const T&>().prepare(Types{}))>::type;

/// The hooks of the ops of type T. Members that it lacks take no code.
template <OpType T>
class HooksOf {
 public:
  static constexpr bool lowers = requires(const T& o, Values in) { o.lower(in); };
  static constexpr bool tiles = requires(const T& o, Types in) { o.tile(in); };
  static constexpr bool consumes = requires(const T& o, Types in) { o.consume(in); };
  static constexpr bool prepares = requires(const T& o, Types in) { o.prepare(in); };
  static constexpr bool runs() {
    if constexpr (prepares) return requires(const T& o, const Run& r, const PreparedPlan<T>& p) {
        o.run(r, p);
      };
    else
      return requires(const T& o, const Run& r) { o.run(r); };
  }

 private:
  static const T& of(const void* op) { return *static_cast<const T*>(op); }

  // What a hook says of one output, as it is said of several; nothing where it says nothing.
  template <class One>
  static std::vector<One> all_of(One one) {
    return one ? std::vector{std::move(one)} : std::vector<One>();
  }
  template <class One>
  static std::vector<One> all_of(std::vector<One> all) {
    return all;
  }

  // Calls `visit(name, member)` for each attribute that is a graph.
  static void each_subgraph([[maybe_unused]] auto&& visit) {
    each_attribute<T>([&]<class C, class M>(const char* name, M C::*member) {
      if constexpr (std::is_same_v<M, Subgraph>) visit(name, member);
    });
  }

  static constexpr void set_types(OpHooks& h) {
    h.infer = [](const void* op, Types in, [[maybe_unused]] const Known& known) {
      const auto types = [&] {
        if constexpr (requires { of(op).infer(in, known); })
          return of(op).infer(in, known);
        else
          return of(op).infer(in);
      }();
      if constexpr (std::is_same_v<decltype(types), const Type>)
        return std::vector<Type>{types};
      else
        return types;
    };
    if constexpr (requires(const T& o, Types in) { o.alias(in); })
      h.alias = [](const void* op, Types in) { return all_of(of(op).alias(in)); };
    if constexpr (requires(const T& o, Types in) { o.overwrites(in); })
      h.overwrites = [](const void* op, Types in) -> std::vector<InputSet> { return of(op).overwrites(in); };
  }

  static constexpr void set_kernels(OpHooks& h) {
    constexpr bool prepares = requires(const T& o, Types in) { o.prepare(in); };
    constexpr bool works = requires(const T& o, Types in) { o.work(in); };
    static_assert(!prepares || !works, "`prepare` tells the work, so an op has no `work` beside it");
    if constexpr (works) h.work = [](const void* op, Types in) -> Work { return of(op).work(in); };
    if constexpr (prepares) {
      h.prepare = [](const void* op, Types in) -> Prepared<void> {
        auto made = of(op).prepare(in);
        const Work work = made.work;
        if constexpr (std::is_same_v<decltype(made), PreparedPlan<T>>)
          return {work, std::make_shared<const PreparedPlan<T>>(std::move(made))};
        else
          return {work, std::move(made.plan)};
      };
      if constexpr (runs())
        h.run = [](const void* op, const Run& r) { of(op).run(r, *static_cast<const PreparedPlan<T>*>(r.prepared)); };
    } else if constexpr (runs()) {
      h.run = [](const void* op, const Run& r) { of(op).run(r); };
    }
    if constexpr (tiles) h.tile = [](const void* op, Types in) -> TileFn { return of(op).tile(in); };
    if constexpr (consumes) h.consume = [](const void* op, Types in) -> Consumer { return of(op).consume(in); };
    if constexpr (requires(const T& o, const internal::Tape& t, Types in) { o.with_epilogue(0, t, in); })
      h.with_epilogue = [](const void* op, int output, const internal::Tape& tape, Types in) {
        return std::optional<Op>(of(op).with_epilogue(output, tape, in));
      };
    if constexpr (requires(const T& o, const Op& producer, Types in) { o.absorb(0, producer, in); })
      h.absorb = [](const void* op, int operand, const Op& producer, Types in) {
        return std::optional<Op>(of(op).absorb(operand, producer, in));
      };
  }

  static constexpr void set_rules(OpHooks& h) {
    if constexpr (requires(const T& o, const Node& n, Values dy) { o.gradient(n, dy); })
      h.gradient = [](const void* op, const Node& n, Values dy) -> Grads { return of(op).gradient(n, dy); };
    if constexpr (requires(const T& o, const Node& n, Flows f) { o.flow_back(n, f, f); })
      h.flow_back = [](const void* op, const Node& n, Flows dy, Flows sums) -> std::vector<Flow> {
        return of(op).flow_back(n, dy, sums);
      };
    if constexpr (requires(const T& o, Values in, Value v) { o.add_to(in, v, v); })
      h.add_to = [](const void* op, Values in, Value sum, Value flows) -> Value {
        return of(op).add_to(in, sum, flows);
      };
    if constexpr (requires(const T& o, Values in) { o.simplify(in); })
      h.simplify = [](const void* op, Values in) { return all_of(of(op).simplify(in)); };
    if constexpr (lowers) h.lower = [](const void* op, Values in) -> std::vector<Value> { return of(op).lower(in); };
    if constexpr (requires(const T& o, Values in) { o.widen(in); })
      h.widen = [](const void* op, Values in) -> std::vector<Value> { return of(op).widen(in); };
    if constexpr (requires(const T& o, Values in) { o.inference(in); })
      h.inference = [](const void* op, Values in) -> std::vector<Value> { return of(op).inference(in); };
    if constexpr (requires(const T& o, Values in, std::span<const int> axes) { o.transposed(in, axes); })
      h.transposed = [](const void* op, Values in, std::span<const int> axes) { return of(op).transposed(in, axes); };
    if constexpr (requires(const T& o, Types in) { o.moved_axes(in); }) {
      h.moved_axes = [](const void* op, Types in) -> std::vector<int> { return of(op).moved_axes(in); };
      h.with_moved_axes = [](const void* op, std::vector<int> axes) -> Op {
        return of(op).with_moved_axes(std::move(axes));
      };
    }
  }

  static constexpr void set_subgraphs(OpHooks& h) {
    if constexpr (requires(void (*visit)(const char*, int)) { T::attributes(visit); }) {
      h.subgraphs = [](const void* op) {
        std::vector<std::pair<std::string_view, std::shared_ptr<const Graph>>> all;
        each_subgraph([&](const char* name, auto member) { all.emplace_back(name, (of(op).*member).shared()); });
        return all;
      };
      h.with_subgraphs = [](const void* op, std::span<const std::shared_ptr<const Graph>> graphs) {
        T other = of(op);
        each_subgraph([&, i = std::size_t{0}](const char*, auto member) mutable {
          using Member = std::remove_reference_t<decltype(other.*member)>;
          other.*member = Member(graphs[i++]);
        });
        return Op(std::move(other));
      };
    }
  }

 public:
  static constexpr OpHooks all() {
    OpHooks h;
    set_types(h);
    set_kernels(h);
    set_rules(h);
    set_subgraphs(h);
    return h;
  }
};

template <OpType T>
inline constexpr OpHooks hooks_of = HooksOf<T>::all();

template <OpType T>
struct Op::Model final : erased::Model<OpInterface, T> {
  explicit Model(T op) : erased::Model<OpInterface, T>(std::move(op)) { this->hooks = &hooks_of<T>; }
  AttrRecord attributes() const override { return attributes_of(this->held); }

 private:
  using Has = HooksOf<T>;
  static constexpr bool computes = Has::runs() || Has::tiles || Has::consumes;
  // Not where `info` is a member: it is known at run time only (graph/text/opaque.h).
  static constexpr bool has_effect() {
    if constexpr (requires { std::bool_constant<T::info.effect>{}; })
      return T::info.effect;
    else
      return false;
  }
  static constexpr bool knows_values() {
    if constexpr (requires { std::bool_constant<T::info.by_value.empty()>{}; })
      return !T::info.by_value.empty();
    else
      return false;
  }
  static constexpr bool has_optional_inputs() {
    if constexpr (requires { std::bool_constant<T::info.inputs.any_optional()>{}; })
      return T::info.inputs.any_optional();
    else
      return false;
  }
  static_assert(computes || Has::lowers || has_effect(),
                "an op computes by one of: run(const Run&), tile(Types), consume(Types), lower(Values)");
  static_assert(!knows_values() || (Has::lowers && !computes),
                "an op that knows values while a graph is built computes by lower(Values)");
  static_assert(!(Has::tiles || Has::consumes) || !has_optional_inputs(),
                "the operands of an elementwise op or a reduction are all there");
};

template <OpType T>
Op::Op(T op) : Any(std::make_shared<const Model<T>>(std::move(op))) {}

}  // namespace oxbow
