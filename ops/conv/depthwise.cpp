#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/ops/conv/depthwise.h>
#include <oxbow/ops/conv/depthwise_rows.h>

namespace oxbow::ops {
namespace {

ConvShape shape_of(const DepthwiseForward& op, Types in) { return depthwise_shape(in[0].shape, in[1].shape, op); }

ConvShape shape_of(const DepthwiseAdjoint& op, Types in) {
  const Shape& dy = in[0].shape;
  if (dy.rank() != 4) throw OpError("dy has " + std::to_string(dy.rank()) + " axes where images have four");
  return depthwise_shape({dy[0], op.height, op.width, dy[3]}, in[1].shape, op);
}

Type result_of(const DepthwiseForward& op, Types in) {
  check_computed<dtypes::Floats>(in[0], "x");
  check_given("weights", in[1], {in[0].dtype, in[1].shape});
  return {in[0].dtype, shape_of(op, in).y()};
}

Type result_of(const DepthwiseAdjoint& op, Types in) {
  check_computed<dtypes::Floats>(in[0], "dy");
  check_given("weights", in[1], {in[0].dtype, in[1].shape});
  const ConvShape s = shape_of(op, in);
  check_given("dy", in[0], {in[0].dtype, s.y()});
  return {in[0].dtype, s.x()};
}

template <class T>
std::vector<Type> inferred(const T& op, Types in) {
  const Type y = result_of(op, in);
  return op.epilogue.empty() ? std::vector{y} : internal::epilogue_types(op.epilogue, y, in.subspan(2));
}

template <class T>
Prepared<DepthwiseRows> prepared(const T& op, Types in, DepthwiseRows rows) {
  rows.then(op.epilogue, in.subspan(2));
  auto made = std::make_shared<DepthwiseRows>(std::move(rows));
  return {made->work(), made};
}

}  // namespace

std::vector<Type> DepthwiseForward::infer(Types in) const { return inferred(*this, in); }
Prepared<DepthwiseRows> DepthwiseForward::prepare(Types in) const {
  return prepared(*this, in, DepthwiseRows::forward(shape_of(*this, in), in[0].dtype));
}
void DepthwiseForward::run(const Run& r, const DepthwiseRows& rows) const { rows.run(r, 2); }
std::vector<InputSet> DepthwiseForward::overwrites(Types in) const {
  return internal::epilogue_overwrites(epilogue, result_of(*this, in), in, 2);
}
std::optional<Op> DepthwiseForward::with_epilogue(int, const internal::Tape& tape, Types in) const {
  return RowsEpilogue::extended(*this, tape, in.subspan(2),
                                [&] { return DepthwiseRows::forward(shape_of(*this, in), in[0].dtype); });
}

std::vector<Type> DepthwiseAdjoint::infer(Types in) const { return inferred(*this, in); }
Prepared<DepthwiseRows> DepthwiseAdjoint::prepare(Types in) const {
  return prepared(*this, in, DepthwiseRows::adjoint(shape_of(*this, in), in[0].dtype));
}
void DepthwiseAdjoint::run(const Run& r, const DepthwiseRows& rows) const { rows.run(r, 2); }
std::vector<InputSet> DepthwiseAdjoint::overwrites(Types in) const {
  return internal::epilogue_overwrites(epilogue, result_of(*this, in), in, 2);
}
std::optional<Op> DepthwiseAdjoint::with_epilogue(int, const internal::Tape& tape, Types in) const {
  return RowsEpilogue::extended(*this, tape, in.subspan(2),
                                [&] { return DepthwiseRows::adjoint(shape_of(*this, in), in[0].dtype); });
}

}  // namespace oxbow::ops
