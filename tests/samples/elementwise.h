// Samples of elementwise ops: the same shapes for all of them, from a formula in double. Pure functions.
#pragma once

#include "samples/families.h"

namespace oxbow::test {

/// What operands are drawn from.
struct Interval {
  double low = -2, high = 2;
};
struct Operands {
  Interval x = {}, y = {};       ///< the first and the second
  bool smooth = true;            ///< as in `Sample`
  std::vector<DType> also = {};  ///< integers or truth values, of which there is a sample each
};

/// Scalars, empty, odd and longer shapes.
std::vector<Sample> unary_samples(const Op& op, const std::function<double(double)>& f, const Operands& of = {});

/// Equal shapes, rows, columns, scalars, both stretched, and empty ones.
std::vector<Sample> binary_samples(const Op& op, const std::function<double(double, double)>& f,
                                   const Operands& of = {});

/// One sample, on integers or truth values; f's operands are the first and the last input.
Sample typed_sample(const Op& op, DType dtype, const std::function<double(double, double)>& f);

/// y[i] = f(inputs at i), broadcast to their common shape, by plain index arithmetic, rounded to `dtype`.
Tensor map_elements(const std::vector<Tensor>& inputs, DType dtype,
                    const std::function<double(const std::vector<double>&)>& f);

/// The lines of a family's list.
template <OpType T>
void unary(Samples& s, const std::function<double(double)>& f, const Operands& of = {}) {
  s.add<T>(unary_samples(T{}, f, of));
}
template <OpType T>
void binary(Samples& s, const std::function<double(double, double)>& f, const Operands& of = {}) {
  s.add<T>(binary_samples(T{}, f, of));
}
template <OpType T>
void logical(Samples& s, const std::function<double(double, double)>& f) {
  s.add<T>({typed_sample(T{}, boolean, f)});
}

}  // namespace oxbow::test
