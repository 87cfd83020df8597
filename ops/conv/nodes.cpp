#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/graph/passes/fusion/tape_plan.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/nodes.h>
#include <oxbow/ops/conv/rows.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

ConvShape shape_of(const ConvForward& op, Types in) {
  check_one_group(op.groups);
  return conv_shape(in[0].shape, in[1].shape, op);
}

ConvRows rows_of(const ConvForward& op, Types in) {
  ConvRows rows = ConvRows::forward(shape_of(op, in), in[0].dtype);
  rows.then(op.epilogue, in.subspan(2));
  return rows;
}

// The weights' last two axes are swapped: [kh, kw, k, c].
ConvShape shape_of(const ConvAdjoint& op, Types in) {
  const Shape &dy = in[0].shape, &w = in[1].shape;
  check_one_group(op.groups);
  if (dy.rank() != 4) throw OpError("dy has " + std::to_string(dy.rank()) + " axes where images have four");
  if (!(w.rank() == 4 && in[1].layout.panel > 0)) throw OpError("an adjoint convolution's weights are packed");
  if (!(in[1].layout.panel == 64 || in[1].layout.panel >= w[3])) throw OpError("packed weights lie in panels of 64");
  return conv_shape({dy[0], op.height, op.width, w[3]}, {w[0], w[1], w[3], w[2]}, op);
}

ConvRows rows_of(const ConvAdjoint& op, Types in) {
  ConvRows rows = ConvRows::adjoint(shape_of(op, in), in[0].dtype, in[1].layout.panel);
  rows.then(op.epilogue, in.subspan(2));
  return rows;
}

template <class Op>
Prepared<ConvRows> prepared(const Op& op, Types in) {
  auto rows = std::make_shared<ConvRows>(rows_of(op, in));
  rows->prepare();
  return {rows->work(), rows};
}

}  // namespace

std::vector<Type> ConvForward::infer(Types in) const {
  check_computed<dtypes::Floats>(in[0], "x");
  check_given("weights", in[1], {in[0].dtype, in[1].shape, in[1].layout});
  const Type y{in[0].dtype, shape_of(*this, in).y()};
  return epilogue.empty() ? std::vector{y} : internal::epilogue_types(epilogue, y, in.subspan(2));
}
Prepared<ConvRows> ConvForward::prepare(Types in) const { return prepared(*this, in); }
void ConvForward::run(const Run& r, const ConvRows& rows) const { rows.run(r, 2); }
std::vector<InputSet> ConvForward::overwrites(Types in) const {
  const Type y{in[0].dtype, shape_of(*this, in).y()};
  return internal::epilogue_overwrites(epilogue, y, in, 2);
}
std::optional<Op> ConvForward::with_epilogue(int, const internal::Tape& tape, Types in) const {
  return RowsEpilogue::extended(*this, tape, in.subspan(2), [&] { return rows_of(*this, in.first(2)); });
}

std::vector<Type> ConvAdjoint::infer(Types in) const {
  check_computed<dtypes::Floats>(in[0], "dy");
  const ConvShape s = shape_of(*this, in);
  check_given("dy", in[0], {in[0].dtype, s.y()});
  check_given("weights", in[1], {in[0].dtype, in[1].shape, in[1].layout});
  const Type dx{in[0].dtype, s.x()};
  return epilogue.empty() ? std::vector{dx} : internal::epilogue_types(epilogue, dx, in.subspan(2));
}
Prepared<ConvRows> ConvAdjoint::prepare(Types in) const { return prepared(*this, in); }
void ConvAdjoint::run(const Run& r, const ConvRows& rows) const { rows.run(r, 2); }
std::vector<InputSet> ConvAdjoint::overwrites(Types in) const {
  return internal::epilogue_overwrites(epilogue, {in[0].dtype, shape_of(*this, in).x()}, in, 2);
}
std::optional<Op> ConvAdjoint::with_epilogue(int, const internal::Tape& tape, Types in) const {
  return RowsEpilogue::extended(*this, tape, in.subspan(2), [&] { return rows_of(*this, in.first(2)); });
}

}  // namespace oxbow::ops
