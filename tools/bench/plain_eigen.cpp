#define EIGEN_DONT_PARALLELIZE
#include "plain_eigen.h"

#include <Eigen/Core>

namespace oxbow::tools {
namespace {

template <class T>
void multiply(const Tensor& a, const Tensor& b, Tensor& y) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Index n = a.shape()[0];
  Eigen::Map<Matrix>(y.data<T>(), n, n).noalias() =
      Eigen::Map<const Matrix>(a.data<T>(), n, n) * Eigen::Map<const Matrix>(b.data<T>(), n, n);
}

}  // namespace

void plain_eigen(const Tensor& a, const Tensor& b, Tensor& y) {
  dispatch<dtypes::List<float, double, std::int32_t>>(a.dtype(),
                                                      [&]<class T>(std::type_identity<T>) { multiply<T>(a, b, y); });
}

}  // namespace oxbow::tools
