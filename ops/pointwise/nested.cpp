#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/formulas.h>
#include <oxbow/ops/pointwise/nested.h>

#include <array>
#include <span>

namespace oxbow::ops {
namespace {

/// A row of the table: `Inner` may compute the operand number `place` of `Outer`. Each of `singles` is a set of the
/// routine's operands, a bit each, for which there is one that takes single elements there. Operands are absorbed from
/// the first one on, so with a set stand those without its highest bits.
template <class O, std::size_t at, class I, unsigned... singles>
struct Pair {
  using Outer = O;
  using Inner = I;
  using Routine = Nested<O, at, I>;
  static constexpr std::size_t place = at;
  static constexpr std::array<unsigned, sizeof...(singles)> sets{singles...};
};
/// An op that takes single elements and absorbs nothing by this row.
template <class Op, unsigned... singles>
struct Alone {
  using Outer = void;
  using Routine = Op;
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

template <class Op, class... Rows>
constexpr std::span<const unsigned> sets_of(std::type_identity<std::tuple<Rows...>>) {
  std::span<const unsigned> sets;
  ((std::is_same_v<typename Rows::Routine, Op> ? void(sets = Rows::sets) : void()), ...);
  return sets;
}

/// `op`, which takes single elements at `singles`, with one at `operand` too, if there is a routine.
template <unsigned singles, class Inner>
std::optional<Op> with_single(const Inner& op, int operand) {
  static constexpr std::span<const unsigned> sets = sets_of<Inner>(std::type_identity<Pairs>());
  std::optional<Op> taken;
  [[maybe_unused]] const auto consider = [&]<std::size_t s>(std::integral_constant<std::size_t, s>) {
    if constexpr ((sets[s] & singles) == singles)
      if (sets[s] == (singles | 1u << operand)) taken = WithSingles<Inner, sets[s]>{op};
  };
  [&]<std::size_t... S>(std::index_sequence<S...>) { (consider(std::integral_constant<std::size_t, S>()), ...); }
  (std::make_index_sequence<sets.size()>());
  return taken;
}

/// What `absorb` returns: `outer` with what the table lets it take in, or with a single element; floats only.
template <class Outer>
std::optional<Op> absorbed(const Outer& outer, int operand, const Op& producer, Types in) {
  if (!is_float(in[0].dtype) || is_narrow(in[0].dtype)) return std::nullopt;
  if (producer.is<internal::Single>()) return with_single<0>(outer, operand);
  std::optional<Op> nested;
  each_row([&]<class Row>(std::type_identity<Row>) {
    if constexpr (std::is_same_v<typename Row::Outer, Outer>) {
      const auto* inner = producer.as<typename Row::Inner>();
      if (inner == nullptr || operand != static_cast<int>(Row::place)) return;
      typename Row::Routine both;
      both.outer = outer;
      both.inner = *inner;
      nested = both;
    }
  });
  return nested;
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
template <class Outer, std::size_t place, class Inner, class Operands>
struct Written<Nested<Outer, place, Inner, Operands>> {
  static std::string of(std::span<const std::string> operands) {
    std::vector<std::string> outer(operands.begin(), operands.begin() + place);
    outer.push_back(Written<Inner>::of(operands.subspan(place, Inner::operands)));
    outer.insert(outer.end(), operands.begin() + place + Inner::operands, operands.end());
    return Written<Outer>::of(outer);
  }
};

}  // namespace

std::optional<Op> Multiply::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(*this, operand, producer, in);
}
std::optional<Op> Add::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(*this, operand, producer, in);
}
std::optional<Op> Subtract::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(*this, operand, producer, in);
}
std::optional<Op> Divide::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(*this, operand, producer, in);
}
std::optional<Op> Sqrt::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(*this, operand, producer, in);
}
std::optional<Op> Sign::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(*this, operand, producer, in);
}
std::optional<Op> Tanh::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(*this, operand, producer, in);
}
std::optional<Op> Relu::absorb(int operand, const Op& producer, Types in) const {
  return absorbed(*this, operand, producer, in);
}
template <class Outer, std::size_t place, class Inner, std::size_t... I>
std::optional<Op> Nested<Outer, place, Inner, std::index_sequence<I...>>::absorb(int operand, const Op& producer,
                                                                                 Types in) const {
  return absorbed(*this, operand, producer, in);
}

template <class Inner, unsigned singles>
std::optional<Op> WithSingles<Inner, singles>::absorb(int operand, const Op& producer, Types) const {
  if (!producer.is<internal::Single>()) return std::nullopt;
  return with_single<singles>(inner, operand);
}

std::vector<Absorbed> absorbed_pairs() {
  std::vector<Absorbed> all;
  each_row([&]<class Row>(std::type_identity<Row>) {
    if constexpr (!std::is_void_v<typename Row::Outer>) {
      using Outer = typename Row::Outer;
      using Inner = typename Row::Inner;
      std::vector<std::string> letters;
      for (std::size_t i = 0; i < Row::Routine::operands; ++i) letters.emplace_back(1, "abcdefgh"[i]);
      all.push_back({Written<typename Row::Routine>::of(letters), Outer{}, Inner{}, Outer::operands, Inner::operands,
                     static_cast<int>(Row::place)});
    }
  });
  return all;
}

}  // namespace oxbow::ops
