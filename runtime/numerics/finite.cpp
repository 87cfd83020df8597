#include <oxbow/runtime/numerics/finite.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

namespace oxbow::internal {
namespace {

constexpr std::int64_t block = 4096;  // elements between two looks at what was gathered

// Without its sign, a float is not finite when its exponent is all ones, and adding one to the exponent then reaches
// the sign's bit. And, add, or: any compiler makes packets of that.
template <class T>
bool finite(const std::byte* bytes, std::int64_t count) {
  using Bits = dtypes::Word<sizeof(T)>;
  constexpr auto magnitude = static_cast<Bits>(static_cast<Bits>(-1) >> 1);
  constexpr auto step = static_cast<Bits>(magnitude - std::bit_cast<Bits>(std::numeric_limits<T>::infinity()) + 1);
  for (std::int64_t begin = 0; begin < count; begin += block) {
    Bits seen = 0;
    const std::int64_t end = std::min(count, begin + block);
    for (std::int64_t i = begin; i < end; ++i) {
      Bits b;
      std::memcpy(&b, bytes + i * static_cast<std::int64_t>(sizeof b), sizeof b);
      seen |= static_cast<Bits>((b & magnitude) + step);
    }
    if (seen > magnitude) return false;
  }
  return true;
}

template <class T>
bool without_nan(const T* x, std::int64_t count) {
  for (std::int64_t begin = 0; begin < count; begin += block) {
    bool nan = false;
    for (std::int64_t i = begin; i < std::min(count, begin + block); ++i) nan |= x[i] != x[i];
    if (nan) return false;
  }
  return true;
}

std::string number_text(double x) {
  if (std::isnan(x)) return "NaN";
  if (std::isinf(x)) return x > 0 ? "Inf" : "-Inf";
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

}  // namespace

bool all_finite(const Type& type, const std::byte* bytes) {
  return dispatch(type.dtype, [&]<class T>(std::type_identity<T>) {
    if constexpr (is_float(dtype_of<T>))
      return finite<T>(bytes, type.stored());
    else
      return true;
  });
}

bool no_nan(const Type& type, const std::byte* bytes) {
  return dispatch(type.dtype, [&]<class T>(std::type_identity<T>) {
    if constexpr (is_float(dtype_of<T>))
      return without_nan(reinterpret_cast<const T*>(bytes), type.stored());
    else
      return true;
  });
}

Census census(const Tensor& tensor) {
  Census c{.elements = tensor.count()};
  bool any = false;
  dispatch(tensor.dtype(), [&]<class T>(std::type_identity<T>) {
    const T* x = tensor.data<T>();
    for (std::int64_t i = 0; i < c.elements; ++i) {
      const auto v = static_cast<double>(x[i]);
      if (!std::isfinite(v)) {
        ++(std::isnan(v) ? c.nans : c.infinities);
        if (c.first_bad < 0) c.first_bad = i;
        continue;
      }
      c.least = any ? std::min(c.least, v) : v;
      c.greatest = any ? std::max(c.greatest, v) : v;
      any = true;
    }
  });
  return c;
}

std::string to_string(const Census& c) {
  if (c.elements == 0) return "empty";
  std::string bad = c.nans > 0 ? std::to_string(c.nans) + " NaN" : "";
  if (c.infinities > 0) bad += (bad.empty() ? "" : ", ") + std::to_string(c.infinities) + " Inf";
  if (c.bad() == c.elements) return c.nans == c.elements ? "all NaN" : c.nans == 0 ? "all Inf" : bad;
  std::string range = number_text(c.least);
  if (c.greatest != c.least) range += " to " + number_text(c.greatest);
  return bad.empty() ? range : range + ", and " + bad;
}

std::string position(const Shape& shape, std::int64_t element) {
  if (shape.rank() == 0) return "";
  std::string text;
  for (int axis = shape.rank(); axis-- > 0; element /= shape[axis])
    text = std::to_string(element % shape[axis]) + (text.empty() ? "" : ", ") + text;
  return "[" + text + "]";
}

std::string element_text(const Tensor& tensor, std::int64_t element) {
  return dispatch(tensor.dtype(), [&]<class T>(std::type_identity<T>) {
    return number_text(static_cast<double>(tensor.data<T>()[element]));
  });
}

}  // namespace oxbow::internal
