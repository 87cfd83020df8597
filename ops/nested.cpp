#include <oxbow/ops/formulas.h>
#include <oxbow/ops/nested.h>

// Which pairs become one routine: sums of products, what optimizers are made of, a bias with its activation.
namespace oxbow {
namespace {

using TimesSquare = Nested<Multiply, 1, Square>;  // a b^2
using MultiplyAdd = Nested<Add, 0, Multiply>;     // a b + c
using ScaledTanhGradient = Nested<MultiplyAdd, 0, TanhGradient>;
using SqrtAdd = Nested<Add, 0, Sqrt>;  // sqrt(a) + b
using MultiplyDivide = Nested<Divide, 0, Multiply>;
using Direction = Nested<MultiplyDivide, 2, SqrtAdd>;  // a b / (sqrt(c) + d)

}  // namespace

// Where numbers and learning rates stand. Not for tanh: it needs the registers itself, and is 4 % slower with less.
template <>
inline constexpr std::array single_operands<Add>{0b01u, 0b10u};
template <>
inline constexpr std::array single_operands<Subtract>{0b01u, 0b10u};
template <>
inline constexpr std::array single_operands<Multiply>{0b01u, 0b10u};
template <>
inline constexpr std::array single_operands<Divide>{0b01u, 0b10u};
template <>
inline constexpr std::array single_operands<TimesSquare>{0b01u};
template <>
inline constexpr std::array single_operands<MultiplyAdd>{0b001u, 0b010u, 0b100u, 0b101u, 0b110u};
template <>
inline constexpr std::array single_operands<Nested<Add, 1, Multiply>>{0b010u, 0b100u};  // a + b c
template <>
inline constexpr std::array single_operands<Nested<MultiplyAdd, 2, Multiply>>{0b0001u, 0b0101u};  // a b + c d
template <>
inline constexpr std::array single_operands<Nested<MultiplyAdd, 2, TimesSquare>>{0b0001u, 0b0101u};  // a b + c d^2
template <>
inline constexpr std::array single_operands<Nested<Subtract, 0, Multiply>>{0b001u, 0b010u, 0b100u};  // a b - c
template <>
inline constexpr std::array single_operands<Nested<Subtract, 1, Multiply>>{0b001u, 0b010u, 0b100u};  // a - b c
template <>
inline constexpr std::array single_operands<Nested<Subtract, 1, Square>>{0b01u};  // a - b^2
template <>
inline constexpr std::array single_operands<SqrtAdd>{0b10u};
template <>
inline constexpr std::array single_operands<MultiplyDivide>{0b001u};
template <>
inline constexpr std::array single_operands<Nested<Divide, 1, SqrtAdd>>{0b100u};  // a / (sqrt(b) + c)
template <>
inline constexpr std::array single_operands<Direction>{0b0001u, 0b1001u};
template <>
inline constexpr std::array single_operands<Nested<Subtract, 1, Direction>>{0b00010u, 0b10010u};

std::optional<Op> Multiply::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<1, Square>>(*this, operand, producer, in);
}
std::optional<Op> Add::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<0, Multiply>, Operands<1, Multiply>, Operands<0, Sqrt>, Operands<0, MultiplyAdd>,
              Operands<0, ScaledTanhGradient>>(*this, operand, producer, in);
}
std::optional<Op> Subtract::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<0, Multiply>, Operands<1, Multiply>, Operands<1, Square>, Operands<1, Direction>>(*this, operand,
                                                                                                         producer, in);
}
std::optional<Op> Divide::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<0, Multiply>, Operands<1, SqrtAdd>>(*this, operand, producer, in);
}

std::optional<Op> Tanh::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<0, Add>, Operands<0, MultiplyAdd>>(*this, operand, producer, in);
}
std::optional<Op> Relu::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<0, Add>>(*this, operand, producer, in);
}

template <class Outer, std::size_t place, class Inner, std::size_t... I>
std::optional<Op> Nested<Outer, place, Inner, std::index_sequence<I...>>::absorb(int operand, const Op& producer,
                                                                                 Types in) const {
  if constexpr (std::is_same_v<Nested, MultiplyAdd>)
    return nest<Operands<2, Multiply>, Operands<2, TimesSquare>, Operands<0, TanhGradient>>(*this, operand, producer,
                                                                                            in);
  else if constexpr (std::is_same_v<Nested, MultiplyDivide>)
    return nest<Operands<2, SqrtAdd>>(*this, operand, producer, in);
  else
    return nest<>(*this, operand, producer, in);
}

}  // namespace oxbow
