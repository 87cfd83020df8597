// How a value type becomes an `Op`: each member that the type lacks gets its default here. Included by op.h only.
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

template <OpType T>
struct Op::Model final : erased::Model<OpInterface, T> {
  using Base = erased::Model<OpInterface, T>;
  using Base::held;

  explicit Model(T op) : Base(std::move(op)) {
    this->can = (runs() ? Base::can_run : 0u) | (tiles() ? Base::can_tile : 0u) | (lowers() ? Base::can_lower : 0u) |
                (simplifies() ? Base::can_simplify : 0u) | (infers_otherwise() ? Base::can_inference : 0u) |
                (consumes() ? Base::can_consume : 0u) | (extends() ? Base::can_epilogue : 0u) |
                (owns() ? Base::can_own : 0u) | (widens() ? Base::can_widen : 0u) | (flows_back() ? Base::can_flow_back : 0u);
    static_assert(runs() || tiles() || consumes() || lowers() || has_effect(),
                  "an op computes by one of: run(const Run&), tile(Types), consume(Types), lower(Values)");
    if constexpr (requires { std::bool_constant<T::info.by_value.empty()>{}; })
      static_assert(T::info.by_value.empty() || (lowers() && !runs() && !tiles() && !consumes()),
                    "an op that knows values while a graph is built computes by lower(Values)");
    if constexpr (tiles() || consumes())
      static_assert(!T::info.inputs.any_optional(), "the operands of an elementwise op or a reduction are all there");
  }

  static constexpr bool has_effect() {
    if constexpr (requires { std::bool_constant<T::info.effect>{}; })
      return T::info.effect;
    else
      return false;  // `info` is a member: known at run time only (graph/text/opaque.h)
  }
  static constexpr bool prepares() {
    return requires(const T& o, Types in) { o.prepare(in); };
  }
  static constexpr bool runs_plain() {
    return requires(const T& o, const Run& r) { o.run(r); };
  }
  static constexpr bool runs() {
    if constexpr (prepares()) return requires(const T& o, const Run& r, const PreparedPlan<T>& p) {
        o.run(r, p);
      };
    else
      return runs_plain();
  }
  static constexpr bool tiles() {
    return requires(const T& o, Types in) { o.tile(in); };
  }
  static constexpr bool consumes() {
    return requires(const T& o, Types in) { o.consume(in); };
  }
  static constexpr bool extends() {
    return requires(const T& o, const internal::Tape& t, Types in) { o.with_epilogue(0, t, in); };
  }
  // Calls `visit(name, member)` for each attribute that is a graph.
  static void each_subgraph([[maybe_unused]] auto&& visit) {
    each_attribute<T>([&]<class C, class M>(const char* name, M C::*member) {
      if constexpr (std::is_same_v<M, Subgraph>) visit(name, member);
    });
  }
  static bool owns() {
    bool any = false;
    each_subgraph([&](const char*, auto) { any = true; });
    return any;
  }
  static constexpr bool lowers() {
    return requires(const T& o, Values in) { o.lower(in); };
  }
  static constexpr bool widens() {
    return requires(const T& o, Values in) { o.widen(in); };
  }
  static constexpr bool flows_back() {
    return requires(const T& o, const Node& n, Flows f) { o.flow_back(n, f, f); };
  }
  static constexpr bool simplifies() {
    return requires(const T& o, Values in) { o.simplify(in); };
  }
  static constexpr bool infers_otherwise() {
    return requires(const T& o, Values in) { o.inference(in); };
  }

  // What a hook says of one output, as it is said of several; nothing where it says nothing.
  template <class One>
  static std::vector<One> all_of(One one) {
    return one ? std::vector{std::move(one)} : std::vector<One>();
  }
  template <class One>
  static std::vector<One> all_of(std::vector<One> all) {
    return all;
  }

  AttrRecord attributes() const override { return attributes_of(held); }
  std::vector<Type> infer(Types in, [[maybe_unused]] const Known& known) const override {
    const auto types = [&] {
      if constexpr (requires { held.infer(in, known); })
        return held.infer(in, known);
      else
        return held.infer(in);
    }();
    if constexpr (std::is_same_v<decltype(types), const Type>)
      return {types};
    else
      return types;
  }
  Work work(Types in) const override {
    if constexpr (prepares()) {
      return held.prepare(in).work;
    } else if constexpr (requires { held.work(in); }) {
      return held.work(in);
    } else {
      Work w;
      for (const Type& t : in) w.bytes += static_cast<double>(t.bytes());
      w.flops = w.bytes / 4;  // an operation for each f32 that it reads
      return w;
    }
  }
  Prepared<void> prepare(Types in) const override {
    if constexpr (!prepares()) {
      return {work(in), nullptr};
    } else {
      static_assert(
          !requires { held.work(in); }, "`prepare` tells the work, so an op has no `work` beside it");
      auto made = held.prepare(in);
      const Work its_work = made.work;
      if constexpr (std::is_same_v<decltype(made), PreparedPlan<T>>)
        return {its_work, std::make_shared<const PreparedPlan<T>>(std::move(made))};
      else
        return {its_work, std::move(made.plan)};
    }
  }
  void run([[maybe_unused]] const Run& r) const override {
    if constexpr (!runs())
      throw InternalError("an op without a kernel was run");
    else if constexpr (prepares())
      held.run(r, *static_cast<const PreparedPlan<T>*>(r.prepared));
    else
      held.run(r);
  }
  TileFn tile([[maybe_unused]] Types in) const override {
    if constexpr (tiles())
      return held.tile(in);
    else
      return nullptr;
  }
  Consumer consume([[maybe_unused]] Types in) const override {
    if constexpr (consumes())
      return held.consume(in);
    else
      return {};
  }
  std::vector<InputSet> overwrites([[maybe_unused]] Types in) const override {
    if constexpr (requires { held.overwrites(in); })
      return held.overwrites(in);
    else
      return {held.info.may_overwrite};
  }
  std::optional<Op> with_epilogue([[maybe_unused]] int output, [[maybe_unused]] const internal::Tape& tape,
                                  [[maybe_unused]] Types in) const override {
    if constexpr (extends())
      return held.with_epilogue(output, tape, in);
    else
      return std::nullopt;
  }
  std::optional<Op> absorb([[maybe_unused]] int operand, [[maybe_unused]] const Op& producer,
                           [[maybe_unused]] Types in) const override {
    if constexpr (requires { held.absorb(operand, producer, in); })
      return held.absorb(operand, producer, in);
    else
      return std::nullopt;
  }
  Grads gradient(const Node& n, Values dy) const override {
    if constexpr (flows_back()) {
      const std::vector<Flow> flows(dy.begin(), dy.end()), nothing(static_cast<std::size_t>(n.input_count()));
      std::vector<Value> dx;
      for (const Flow& f : held.flow_back(n, flows, nothing)) dx.push_back(f.sum);
      return dx;
    } else if constexpr (requires { held.gradient(n, dy); }) {
      return held.gradient(n, dy);
    } else {
      return NotDifferentiable{"it has no gradient rule"};
    }
  }
  std::vector<Flow> flow_back([[maybe_unused]] const Node& n, [[maybe_unused]] Flows dy,
                              [[maybe_unused]] Flows sums) const override {
    if constexpr (flows_back())
      return held.flow_back(n, dy, sums);
    else
      return {};
  }
  Value add_to([[maybe_unused]] Values in, [[maybe_unused]] Value sum) const override {
    if constexpr (requires { held.add_to(in, sum); })
      return held.add_to(in, sum);
    else
      return {};
  }
  std::vector<Value> simplify([[maybe_unused]] Values in) const override {
    if constexpr (simplifies())
      return all_of(held.simplify(in));
    else
      return {};
  }
  std::vector<Value> lower([[maybe_unused]] Values in) const override {
    if constexpr (lowers())
      return held.lower(in);
    else
      return {};
  }
  std::vector<Value> widen([[maybe_unused]] Values in) const override {
    if constexpr (widens())
      return held.widen(in);
    else
      return {};
  }
  std::vector<Value> inference([[maybe_unused]] Values in) const override {
    if constexpr (infers_otherwise())
      return held.inference(in);
    else
      return {};
  }
  std::vector<Alias> alias([[maybe_unused]] Types in) const override {
    if constexpr (requires { held.alias(in); })
      return all_of(held.alias(in));
    else
      return {};
  }
  std::vector<std::pair<std::string_view, std::shared_ptr<const Graph>>> subgraphs() const override {
    std::vector<std::pair<std::string_view, std::shared_ptr<const Graph>>> all;
    each_subgraph([&](const char* name, auto member) { all.emplace_back(name, (held.*member).shared()); });
    return all;
  }
  Op with_subgraphs(std::span<const std::shared_ptr<const Graph>> graphs) const override {
    T other = held;
    each_subgraph([&, i = std::size_t{0}](const char*, auto member) mutable {
      using Member = std::remove_reference_t<decltype(other.*member)>;
      other.*member = Member(graphs[i++]);
    });
    return Op(std::move(other));
  }
};

template <OpType T>
Op::Op(T op) : Any(std::make_shared<const Model<T>>(std::move(op))) {}

inline std::size_t Op::hash() const {
  return std::hash<std::string_view>()(name()) * 31 + oxbow::hash(AttrValue(attributes()));
}
inline std::optional<Op> Op::absorb(int operand, const Op& producer, Types in) const {
  return model_->absorb(operand, producer, in);
}
inline std::optional<Op> Op::with_epilogue(int output, const internal::Tape& tape, Types in) const {
  return model_->with_epilogue(output, tape, in);
}
inline Grads Op::gradient(const Node& n, Values dy) const { return model_->gradient(n, dy); }
inline std::vector<Flow> Op::flow_back(const Node& n, Flows dy, Flows sums) const {
  return model_->flow_back(n, dy, sums);
}
inline Value Op::add_to(Values in, Value sum) const { return model_->add_to(in, sum); }
inline std::vector<Value> Op::simplify(Values in) const { return model_->simplify(in); }
inline std::vector<Value> Op::lower(Values in) const { return model_->lower(in); }
inline std::vector<Value> Op::widen(Values in) const { return model_->widen(in); }
inline bool Op::widens(Types in) const {
  for (std::size_t i = 0; i < in.size(); ++i)
    if (widens(static_cast<int>(i), in[i].dtype)) return true;
  return false;
}
inline std::vector<Value> Op::inference(Values in) const { return model_->inference(in); }

}  // namespace oxbow
