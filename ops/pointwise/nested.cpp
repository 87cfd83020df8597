#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/formulas.h>
#include <oxbow/ops/pointwise/nested.h>

// Which pairs become one routine: sums of products, what optimizers are made of, a bias with its activation.
namespace oxbow::ops {
namespace {

using TimesSquare = Nested<Multiply, 1, Square>;  // a b^2
using MultiplyAdd = Nested<Add, 0, Multiply>;     // a b + c
using ScaledTanhGradient = Nested<MultiplyAdd, 0, TanhGradient>;
using SqrtAdd = Nested<Add, 0, Sqrt>;  // sqrt(a) + b
using MultiplyDivide = Nested<Divide, 0, Multiply>;
using Direction = Nested<MultiplyDivide, 2, SqrtAdd>;     // a b / (sqrt(c) + d)
using AddDirection = Nested<Add, 0, Direction>;           // a b / (sqrt(c) + d) + e
using Decayed = Nested<AddDirection, 4, Multiply>;        // a b / (sqrt(c) + d) + e f
using Adaptive = Nested<Divide, 1, SqrtAdd>;              // a / (sqrt(b) + c)
using SumRoot = Nested<Sqrt, 0, Add>;                     // sqrt(a + b)
using SumDirection = Nested<MultiplyDivide, 2, SumRoot>;  // a b / sqrt(c + d)
using MultiplySubtract = Nested<Subtract, 0, Multiply>;   // a b - c
using SubtractMultiply = Nested<Subtract, 1, Multiply>;   // a - b c
using AddMultiply = Nested<Add, 1, Multiply>;             // a + b c
using SumSign = Nested<Sign, 0, AddMultiply>;             // sign(a + b c)

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
inline constexpr std::array single_operands<AddMultiply>{0b010u, 0b100u};
template <>
inline constexpr std::array single_operands<Nested<MultiplyAdd, 2, Multiply>>{0b0001u, 0b0101u};  // a b + c d
template <>
inline constexpr std::array single_operands<Nested<MultiplyAdd, 2, TimesSquare>>{0b0001u, 0b0101u};  // a b + c d^2
template <>
inline constexpr std::array single_operands<MultiplySubtract>{0b001u, 0b010u, 0b100u};
template <>
inline constexpr std::array single_operands<SubtractMultiply>{0b001u, 0b010u, 0b100u};
template <>
inline constexpr std::array single_operands<Nested<Subtract, 1, Square>>{0b01u};  // a - b^2
template <>
inline constexpr std::array single_operands<SqrtAdd>{0b10u};
template <>
inline constexpr std::array single_operands<MultiplyDivide>{0b001u};
template <>
inline constexpr std::array single_operands<Adaptive>{0b100u};
template <>
inline constexpr std::array single_operands<Direction>{0b0001u, 0b1001u};
template <>
inline constexpr std::array single_operands<Nested<Subtract, 1, Direction>>{0b00010u, 0b10010u};
template <>
inline constexpr std::array single_operands<AddDirection>{0b00001u, 0b01001u};
template <>
inline constexpr std::array single_operands<Decayed>{0b000001u, 0b001001u, 0b011001u};
template <>
inline constexpr std::array single_operands<Nested<Subtract, 1, Decayed>>{0b0000010u, 0b0010010u, 0b0110010u};
template <>
inline constexpr std::array single_operands<Nested<Subtract, 1, Adaptive>>{0b1000u};
template <>
inline constexpr std::array single_operands<SumRoot>{0b10u};
template <>
inline constexpr std::array single_operands<SumDirection>{0b0001u, 0b1001u};
template <>
inline constexpr std::array single_operands<Nested<Subtract, 1, SumDirection>>{0b00010u, 0b10010u};
template <>
inline constexpr std::array single_operands<Nested<Subtract, 1, MultiplyDivide>>{0b0010u};
template <>
inline constexpr std::array single_operands<Nested<MultiplySubtract, 2, Multiply>>{0b0001u, 0b0101u};  // a b - c d
template <>
inline constexpr std::array single_operands<SumSign>{0b010u};
template <>
inline constexpr std::array single_operands<Nested<SubtractMultiply, 2, SumSign>>{0b00010u, 0b01010u};

std::optional<Op> Multiply::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<1, Square>>(*this, operand, producer, in);
}
std::optional<Op> Add::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<0, Multiply>, Operands<1, Multiply>, Operands<0, Sqrt>, Operands<1, Square>,
              Operands<0, MultiplyAdd>, Operands<0, Direction>, Operands<0, ScaledTanhGradient>>(*this, operand,
                                                                                                 producer, in);
}
std::optional<Op> Subtract::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<0, Multiply>, Operands<1, Multiply>, Operands<1, Square>, Operands<1, Direction>,
              Operands<1, Decayed>, Operands<1, Adaptive>, Operands<1, SumDirection>, Operands<1, MultiplyDivide>>(
      *this, operand, producer, in);
}
std::optional<Op> Divide::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<0, Multiply>, Operands<1, SqrtAdd>>(*this, operand, producer, in);
}
std::optional<Op> Sqrt::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<0, Add>>(*this, operand, producer, in);
}
std::optional<Op> Sign::absorb(int operand, const Op& producer, Types in) const {
  return nest<Operands<0, AddMultiply>>(*this, operand, producer, in);
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
    return nest<Operands<2, SqrtAdd>, Operands<2, SumRoot>>(*this, operand, producer, in);
  else if constexpr (std::is_same_v<Nested, AddDirection>)
    return nest<Operands<4, Multiply>>(*this, operand, producer, in);
  else if constexpr (std::is_same_v<Nested, MultiplySubtract>)
    return nest<Operands<2, Multiply>>(*this, operand, producer, in);
  else if constexpr (std::is_same_v<Nested, SubtractMultiply>)
    return nest<Operands<2, SumSign>>(*this, operand, producer, in);
  else
    return nest<>(*this, operand, producer, in);
}

}  // namespace oxbow::ops
