// The plainest way to move elements, one index at a time: what references of samples are made of.
#pragma once

#include <oxbow/graph/tensor.h>

#include <functional>

namespace oxbow::test {

using Index = std::vector<std::int64_t>;
using Numbers = std::vector<std::int64_t>;

/// Whole numbers, i64; a vector where no shape is given.
inline Tensor whole(const Shape& shape, const Numbers& values) {
  return Tensor::of<std::int64_t>(shape, std::span<const std::int64_t>(values));
}
inline Tensor whole(const Numbers& values) { return whole({static_cast<std::int64_t>(values.size())}, values); }

inline Index index_of(const Shape& shape, std::int64_t flat) {
  Index index(static_cast<std::size_t>(shape.rank()));
  for (int i = shape.rank() - 1; i >= 0; --i) {
    index[static_cast<std::size_t>(i)] = flat % shape[i];
    flat /= shape[i];
  }
  return index;
}

inline std::int64_t flat_of(const Shape& shape, const Index& index) {
  std::int64_t flat = 0;
  for (int i = 0; i < shape.rank(); ++i) flat = flat * shape[i] + index[static_cast<std::size_t>(i)];
  return flat;
}

/// y of this shape, y[i] = x[from(i)]; 0 where `from` gives an index of another length than x has axes.
inline Tensor rearranged(const Tensor& x, const Shape& shape, const std::function<Index(const Index&)>& from) {
  Tensor y({x.dtype(), shape});
  dispatch(x.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < y.count(); ++i) {
      const Index source = from(index_of(shape, i));
      if (static_cast<int>(source.size()) == x.shape().rank()) y.data<T>()[i] = x.data<T>()[flat_of(x.shape(), source)];
    }
  });
  return y;
}

/// The number at `flat`, whatever the dtype.
inline double number(const Tensor& x, std::int64_t flat) {
  return dispatch(x.dtype(), [&]<class T>(std::type_identity<T>) { return static_cast<double>(x.data<T>()[flat]); });
}

}  // namespace oxbow::test
