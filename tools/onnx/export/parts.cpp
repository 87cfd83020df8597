// What writers of several families say with.
#include "onnx/export/exporter.h"
#include "onnx/read/model_file.h"

namespace oxbow::onnx {

std::string number(const Written& n, double value, DType dtype) {
  return n.to().constant(
      dispatch(dtype, [&]<class T>(std::type_identity<T>) { return Tensor::scalar<T>(static_cast<T>(value)); }));
}

std::string as(const Written& n, const std::string& x, DType dtype) {
  return n.to().add("Cast", {x}, {{"to", std::int64_t{onnx_type(dtype)}}});
}

std::string sizes(const Written& n, int i) {
  const Value v = n.node().input(i);
  bool fixed = true;
  for (int axis = 0; axis < v.rank(); ++axis) fixed = fixed && n.to().is_fixed(v, axis);
  return fixed ? n.to().numbers(v.shape().vector()) : n.to().add("Shape", {n.in(i)});
}

std::vector<std::int64_t> from_first(std::vector<std::int64_t> axes, int rank) {
  for (std::int64_t& a : axes) a = a < 0 ? a + rank : a;
  return axes;
}

}  // namespace oxbow::onnx
