// Elementwise ops: the formula is a plain scalar function, written once; loops over lanes are instantiated from it and
// vectorised by the compiler. Operands broadcast. Whatever runs an elementwise op (graph/fused.h) goes through `tile`.
//
//   struct Exp : Unary<Exp> {
//     static constexpr OpInfo info{.name = "exp", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
//     template <class T> T at(T x) const { return math::exp(x); }
//     Grads gradient(const Node& n, Values dy) const { return {dy[0] * n.output()}; }
//   };
#pragma once
