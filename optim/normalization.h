// A layer that scales numbers as it has found them in data: what it subtracts and divides by are constants of the
// graph, so that prediction scales alike, and an exported model has them in it. Keras: Normalization, adapted;
// scikit-learn: StandardScaler, MinMaxScaler.
//
//   const Normalization scale(train["y"]);
//   const Value h = Sequential{Normalization(train["x"]), Dense(64, {.activation = relu}), Dense(1)}(x);
//   Model model = compile(mean_squared_error(h, scale(y)), "adam", {.predictions = scale.inverse(h)});
//
// Thread safety: read by any number of threads; a call appends to a graph, which is for one.
#pragma once

#include <oxbow/graph/tensor.h>
#include <oxbow/graph/value.h>

namespace oxbow {

enum class Scaling : std::uint8_t {
  standard,  ///< mean 0, deviation 1 (over n, not n - 1)
  min_max    ///< from 0 to 1
};

class Normalization {
 public:
  /// Fitted on `data`, the part to train on: each column of the last axis by itself, over all other axes; one axis is
  /// one column. What is the same everywhere is only moved to 0. Throws `Error` for data that are no numbers, none, or
  /// not finite.
  explicit Normalization(const Tensor& data, Scaling scaling = Scaling::standard);

  /// Of known numbers: a mean and a deviation for each channel, say, that a model was trained with before. Scalars or
  /// [columns]; torchvision: Normalize(mean, std). Throws `Error` unless both are finite, of one type, and no scale is
  /// 0.
  Normalization(const Tensor& offset, const Tensor& scale);

  /// (x - offset) / scale, with the last axis that the data had. Throws `Error` where x has another or another dtype.
  Value operator()(Value x, At at = At::current()) const;
  /// Back to what the data are counted in: x * scale + offset.
  Value inverse(Value x, At at = At::current()) const;

  const Tensor& offset() const { return offset_; }  ///< [columns], or a scalar
  const Tensor& scale() const { return scale_; }

 private:
  void check(Value x, const char* builder, At at) const;
  Tensor offset_, scale_;
};

}  // namespace oxbow
