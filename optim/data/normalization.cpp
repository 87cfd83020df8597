#include <oxbow/graph/leaves.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/normalization.h>

#include <algorithm>
#include <cmath>

namespace oxbow {

namespace {

// Of one column: where it begins, and how wide it is. Two passes in double, in order.
template <class T>
std::pair<double, double> fitted(std::span<const T> data, std::size_t column, std::size_t columns, Scaling scaling) {
  double sum = 0, low = data[column], high = low;
  for (std::size_t i = column; i < data.size(); i += columns) {
    const double v = data[i];
    if (!std::isfinite(v))
      throw Error("Normalization: row " + std::to_string(i / columns) + " of column " + std::to_string(column) +
                  " is not finite. Leave such rows out, or fill them");
    sum += v;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  if (low == high) return {low, 1};
  if (scaling == Scaling::min_max) return {low, high - low};
  const double count = static_cast<double>(data.size() / columns), mean = sum / count;
  double squares = 0;
  for (std::size_t i = column; i < data.size(); i += columns) squares += (data[i] - mean) * (data[i] - mean);
  return {mean, std::sqrt(squares / count)};
}

}  // namespace

Normalization::Normalization(const Tensor& data, Scaling scaling) {
  if (data.dtype() != f32 && data.dtype() != f64)
    throw Error("Normalization: the data are " + to_string(data.type()) + ". Give numbers, f32 or f64");
  if (data.count() == 0) throw Error("Normalization: the data are " + to_string(data.type()) + ", which is empty");
  const Shape& shape = data.shape();
  const Shape columns = shape.rank() < 2 ? Shape{} : Shape{shape[shape.rank() - 1]};
  offset_ = Tensor({data.dtype(), columns});
  scale_ = Tensor({data.dtype(), columns});
  const auto fit = [&]<class T>(std::type_identity<T>) {
    for (std::int64_t c = 0; c < columns.count(); ++c) {
      const auto [offset, scale] =
          fitted(data.span<T>(), static_cast<std::size_t>(c), static_cast<std::size_t>(columns.count()), scaling);
      offset_.data<T>()[c] = static_cast<T>(offset);
      scale_.data<T>()[c] = static_cast<T>(scale);
      if (!std::isfinite(scale_.data<T>()[c]))
        throw Error("Normalization: the numbers of column " + std::to_string(c) + " are too large");
      if (scale_.data<T>()[c] == 0) scale_.data<T>()[c] = 1;  // too narrow to tell
    }
  };
  if (data.dtype() == f32)
    fit(std::type_identity<float>());
  else
    fit(std::type_identity<double>());
}

Normalization::Normalization(const Tensor& offset, const Tensor& scale) : offset_(offset), scale_(scale) {
  const Type& type = offset.type();
  if ((type.dtype != f32 && type.dtype != f64) || scale.type() != type || type.shape.rank() > 1)
    throw Error("Normalization: the offset is " + to_string(type) + " and the scale " + to_string(scale.type()) +
                ". Give two scalars, or two lists as long as the last axis, f32 or f64");
  const auto check_all = [&]<class T>(std::type_identity<T>) {
    for (std::int64_t c = 0; c < offset.count(); ++c)
      if (!std::isfinite(offset.data<T>()[c]) || !std::isfinite(scale.data<T>()[c]) || scale.data<T>()[c] == 0)
        throw Error("Normalization: number " + std::to_string(c) +
                    " of the offset or the scale is not finite, or the scale is 0");
  };
  if (type.dtype == f32)
    check_all(std::type_identity<float>());
  else
    check_all(std::type_identity<double>());
}

void Normalization::check(Value x, const char* builder, At at) const {
  const Shape& columns = offset_.shape();
  if (!x) throw Error(std::string(builder) + ": the value is empty" + at_line(at) + "\n  Build it first");
  if (x.dtype() != offset_.dtype() || (columns.rank() == 1 && (x.rank() == 0 || x.shape()[x.rank() - 1] != columns[0])))
    throw Error(std::string(builder) + ": the value is " + to_string(x.type()) + ", but was fitted on " +
                to_string(offset_.type()) + at_line(at) + "\n  Give it the dtype and the last axis of the data");
}

Value Normalization::operator()(Value x, At at) const {
  check(x, "Normalization", at);
  return divide(subtract(x, constant(x.graph(), offset_, at), at), constant(x.graph(), scale_, at), at);
}

Value Normalization::inverse(Value x, At at) const {
  check(x, "Normalization::inverse", at);
  return add(multiply(x, constant(x.graph(), scale_, at), at), constant(x.graph(), offset_, at), at);
}

}  // namespace oxbow
