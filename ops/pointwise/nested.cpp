#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/formulas.h>
#include <oxbow/ops/pointwise/nested.h>

#include <array>
#include <span>
#include <tuple>

namespace oxbow::ops {
namespace {

/// outer(x..., inner(x...), x...): `Inner` computes the operand number `place`. Ops with a formula have no attributes.
template <class Outer, std::size_t place, class Inner>
struct Nested {
  static constexpr std::size_t operands = Outer::operands - 1 + Inner::operands;

  template <Real T, std::same_as<T>... X>
  T at(T first, X... rest) const {
    const std::tuple all(first, rest...);
    const T within = [&]<std::size_t... J>(std::index_sequence<J...>) {
      return Inner{}.at(std::get<place + J>(all)...);
    }
    (std::make_index_sequence<Inner::operands>());
    const auto operand = [&]<std::size_t j>(std::integral_constant<std::size_t, j>) {
      if constexpr (j < place)
        return std::get<j>(all);
      else if constexpr (j == place)
        return within;
      else
        return std::get<j - 1 + Inner::operands>(all);
    };
    return [&]<std::size_t... J>(std::index_sequence<J...>) {
      return Outer{}.at(operand(std::integral_constant<std::size_t, J>())...);
    }
    (std::make_index_sequence<Outer::operands>());
  }
};

}  // namespace

template <class Outer, std::size_t place, class Inner>
inline constexpr bool takes_root<Nested<Outer, place, Inner>> = takes_root<Outer> || takes_root<Inner>;

namespace {

/// A row of the table: `Inner` may compute the operand number `place` of `Outer`. Each of `singles` is a set of the
/// routine's operands, a bit each, for which there is one that takes single elements there. Operands are absorbed from
/// the first one on, so with a set stand those without its highest bits.
template <class O, std::size_t at, class I, unsigned... singles>
struct Pair {
  using Outer = O;
  using Inner = I;
  using Formula = Nested<O, at, I>;
  static constexpr std::size_t place = at;
  static constexpr std::array<unsigned, sizeof...(singles)> sets{singles...};
};
/// An op that takes single elements and absorbs nothing by this row.
template <class Op, unsigned... singles>
struct Alone {
  using Outer = void;
  using Formula = Op;
  static constexpr std::array<unsigned, sizeof...(singles)> sets{singles...};
};

using TimesSquare = Nested<Multiply, 1, Square>;
using MultiplyAdd = Nested<Add, 0, Multiply>;
using AddMultiply = Nested<Add, 1, Multiply>;
using MultiplySubtract = Nested<Subtract, 0, Multiply>;
using SubtractMultiply = Nested<Subtract, 1, Multiply>;
using ScaledTanhGradient = Nested<MultiplyAdd, 0, TanhGradient>;
using MultiplyDivide = Nested<Divide, 0, Multiply>;
using SqrtAdd = Nested<Add, 0, Sqrt>;
using SumRoot = Nested<Sqrt, 0, Add>;
using SumSign = Nested<Sign, 0, AddMultiply>;
using Adaptive = Nested<Divide, 1, SqrtAdd>;
using Direction = Nested<MultiplyDivide, 2, SqrtAdd>;
using SumDirection = Nested<MultiplyDivide, 2, SumRoot>;
using AddDirection = Nested<Add, 0, Direction>;
using Decayed = Nested<AddDirection, 4, Multiply>;

// Which pairs become one routine: sums of products, what optimizers are made of, a bias with its activation. What each
// gains over its two routines is measured by `build/bin/bench_kernels pair`. Single elements are numbers and learning
// rates. Not for tanh: it needs the registers itself, and is 4 % slower with less.
// clang-format off
using Pairs = std::tuple<
    Alone<Add, 0b01, 0b10>,
    Alone<Subtract, 0b01, 0b10>,
    Alone<Multiply, 0b01, 0b10>,
    Alone<Divide, 0b01, 0b10>,
    Pair<Multiply, 1, Square, 0b01>,  // a b^2
    Pair<Add, 0, Multiply, 0b001, 0b010, 0b100, 0b101, 0b110>,  // a b + c
    Pair<Add, 1, Multiply, 0b010, 0b100>,  // a + b c
    Pair<Add, 0, Sqrt, 0b10>,  // sqrt(a) + b
    Pair<Add, 1, Square>,  // a + b^2
    Pair<Add, 0, MultiplyAdd>,  // a b + c + d
    Pair<Add, 0, Direction, 0b00001, 0b01001>,  // a b / (sqrt(c) + d) + e
    Pair<Add, 0, ScaledTanhGradient>,  // (1 - a^2) b c + d + e
    Pair<Subtract, 0, Multiply, 0b001, 0b010, 0b100>,  // a b - c
    Pair<Subtract, 1, Multiply, 0b001, 0b010, 0b100>,  // a - b c
    Pair<Subtract, 1, Square, 0b01>,  // a - b^2
    Pair<Subtract, 1, Direction, 0b00010, 0b10010>,  // a - b c / (sqrt(d) + e)
    Pair<Subtract, 1, Decayed, 0b0000010, 0b0010010, 0b0110010>,  // a - (b c / (sqrt(d) + e) + f g)
    Pair<Subtract, 1, Adaptive, 0b1000>,  // a - b / (sqrt(c) + d)
    Pair<Subtract, 1, SumDirection, 0b00010, 0b10010>,  // a - b c / sqrt(d + e)
    Pair<Subtract, 1, MultiplyDivide, 0b0010>,  // a - b c / d
    Pair<Divide, 0, Multiply, 0b001>,  // a b / c
    Pair<Divide, 1, SqrtAdd, 0b100>,  // a / (sqrt(b) + c)
    Pair<Sqrt, 0, Add, 0b10>,  // sqrt(a + b)
    Pair<Sign, 0, AddMultiply, 0b010>,  // sign(a + b c)
    Pair<Tanh, 0, Add>,  // tanh(a + b)
    Pair<Tanh, 0, MultiplyAdd>,  // tanh(a b + c)
    Pair<Relu, 0, Add>,  // relu(a + b)
    Pair<MultiplyAdd, 2, Multiply, 0b0001, 0b0101>,  // a b + c d
    Pair<MultiplyAdd, 2, TimesSquare, 0b0001, 0b0101>,  // a b + c d^2
    Pair<MultiplyAdd, 0, TanhGradient>,  // (1 - a^2) b c + d
    Pair<MultiplyDivide, 2, SqrtAdd, 0b0001, 0b1001>,  // a b / (sqrt(c) + d)
    Pair<MultiplyDivide, 2, SumRoot, 0b0001, 0b1001>,  // a b / sqrt(c + d)
    Pair<AddDirection, 4, Multiply, 0b000001, 0b001001, 0b011001>,  // a b / (sqrt(c) + d) + e f
    Pair<MultiplySubtract, 2, Multiply, 0b0001, 0b0101>,  // a b - c d
    Pair<SubtractMultiply, 2, SumSign, 0b00010, 0b01010>>;  // a - b sign(c + d e)
// clang-format on

template <class Visit>
void each_row(const Visit& visit) {
  [&]<class... Rows>(std::type_identity<std::tuple<Rows...>>) {
    (visit(std::type_identity<Rows>()), ...);
  }(std::type_identity<Pairs>());
}

template <class F>
constexpr char formula = 0;  // its address tells it from others
template <class F, unsigned singles = 0>
constexpr Routine routine{&formula<F>, singles, tile_over<F, singles>};

template <class F>
Op op_of() {
  if constexpr (OpType<F>)
    return F{};
  else
    return Joined{&routine<F>};
}

template <class F>
bool computes(const Op& op) {
  if constexpr (OpType<F>) {
    return op.is<F>();
  } else {
    const Joined* joined = op.as<Joined>();
    return joined != nullptr && joined->routine == &routine<F>;
  }
}

// A row as it is looked up.
struct Rule {
  const void* outer;
  std::size_t place;
  bool (*inner)(const Op&);
  const Routine* both;
};

constexpr auto rules = []<class... Rows>(std::type_identity<std::tuple<Rows...>>) {
  return std::array{[]<class Row>(std::type_identity<Row>) -> Rule {
    if constexpr (std::is_void_v<typename Row::Outer>)
      return {};
    else
      return {&formula<typename Row::Outer>, Row::place, computes<typename Row::Inner>,
              &routine<typename Row::Formula>};
  }(std::type_identity<Rows>())...};
}(std::type_identity<Pairs>());

template <class Row>
constexpr auto with_singles = []<std::size_t... S>(std::index_sequence<S...>) {
  return std::array<const Routine*, sizeof...(S)>{&routine<typename Row::Formula, Row::sets[S]>...};
}
(std::make_index_sequence<Row::sets.size()>());

constexpr auto all_with_singles = []<class... Rows>(std::type_identity<std::tuple<Rows...>>) {
  return std::array{std::span<const Routine* const>(with_singles<Rows>)...};
}(std::type_identity<Pairs>());

// What `absorb` returns for a formula that takes single elements at `singles`: with what the table lets it take in, or
// with a single element; floats only.
std::optional<Op> absorbed(const void* outer, unsigned singles, int operand, const Op& producer, Types in) {
  if (!is_float(in[0].dtype) || is_narrow(in[0].dtype)) return std::nullopt;
  if (producer.is<internal::Single>()) {
    for (const auto& row : all_with_singles)
      for (const Routine* r : row)
        if (r->formula == outer && r->singles == (singles | 1U << operand)) return Joined{r};
  } else if (singles == 0) {
    for (const Rule& rule : rules)
      if (rule.outer == outer && rule.place == static_cast<std::size_t>(operand) && rule.inner(producer))
        return Joined{rule.both};
  }
  return std::nullopt;
}

// "add(multiply(a, b), c)", of these operands.
template <class Op>
struct Written {
  static std::string of(std::span<const std::string> operands) {
    std::string all;
    for (const std::string& x : operands) all += (all.empty() ? "" : ", ") + x;
    return std::string(Op::info.name) + "(" + all + ")";
  }
};
template <class Outer, std::size_t place, class Inner>
struct Written<Nested<Outer, place, Inner>> {
  static std::string of(std::span<const std::string> operands) {
    std::vector<std::string> outer(operands.begin(), operands.begin() + place);
    outer.push_back(Written<Inner>::of(operands.subspan(place, Inner::operands)));
    outer.insert(outer.end(), operands.begin() + place + Inner::operands, operands.end());
    return Written<Outer>::of(outer);
  }
};

}  // namespace

std::optional<Op> Multiply::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(&formula<Multiply>, 0, operand, producer, in);
}
std::optional<Op> Add::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(&formula<Add>, 0, operand, producer, in);
}
std::optional<Op> Subtract::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(&formula<Subtract>, 0, operand, producer, in);
}
std::optional<Op> Divide::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(&formula<Divide>, 0, operand, producer, in);
}
std::optional<Op> Sqrt::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(&formula<Sqrt>, 0, operand, producer, in);
}
std::optional<Op> Sign::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(&formula<Sign>, 0, operand, producer, in);
}
std::optional<Op> Tanh::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(&formula<Tanh>, 0, operand, producer, in);
}
std::optional<Op> Relu::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(&formula<Relu>, 0, operand, producer, in);
}
std::optional<Op> Joined::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(routine->formula, routine->singles, operand, producer, in);
}

std::vector<Absorbed> absorbed_pairs() {
  std::vector<Absorbed> all;
  each_row([&]<class Row>(std::type_identity<Row>) {
    if constexpr (!std::is_void_v<typename Row::Outer>) {
      using Outer = typename Row::Outer;
      using Inner = typename Row::Inner;
      std::vector<std::string> letters;
      for (std::size_t i = 0; i < Row::Formula::operands; ++i) letters.emplace_back(1, "abcdefgh"[i]);
      all.push_back({Written<typename Row::Formula>::of(letters), op_of<Outer>(), op_of<Inner>(), Outer::operands,
                     Inner::operands, static_cast<int>(Row::place)});
    }
  });
  return all;
}

}  // namespace oxbow::ops
