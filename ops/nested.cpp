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
    return std::nullopt;
}

}  // namespace oxbow
