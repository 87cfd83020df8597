#include <oxbow/graph/error.h>
#include <oxbow/graph/type.h>

#include <algorithm>
#include <cmath>

namespace oxbow {

void dtypes::lacks_kernel(DType d) {
  throw InternalError("a kernel was called with " + std::string(name(d)) + ", for which it is not made");
}

bool holds(DType d, double number) {
  if (is_float(d)) return true;
  return dispatch(d, [&]<class T>(std::type_identity<T>) {
    // The largest integers may round up to a power of two, which is one too many: compared is half of it.
    const auto low = static_cast<double>(std::numeric_limits<T>::min());
    const double beyond = 2 * static_cast<double>(std::numeric_limits<T>::max() / 2 + 1);
    return std::trunc(number) == number && number >= low && number < beyond;
  });
}

std::string dtype_names() {
  std::string names;
  for (DType d : all_dtypes)
    names += (names.empty() ? "" : d == all_dtypes.back() ? " or " : ", ") + std::string(name(d));
  return names;
}

Shape::Shape(std::span<const std::int64_t> sizes) : rank_(static_cast<int>(sizes.size())) {
  if (sizes.size() > max_rank) throw OpError("a shape has at most 8 axes, not " + std::to_string(sizes.size()));
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  // The product of the sizes other than 0 must fit, so that no product of some of the axes overflows either.
  std::int64_t product = 1;
  for (std::int64_t size : sizes) {
    if (size < 0) throw OpError("an axis cannot have the size " + std::to_string(size) + " in shape " + to_string(*this));
    if (size > 0 && (__builtin_mul_overflow(product, size, &product) || product > max_count))
      throw OpError("shape " + to_string(*this) + " has more elements than memory can address");
  }
}

Shape::Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
Shape::Shape(const std::vector<std::int64_t>& sizes) : Shape(std::span(sizes)) {}

std::vector<std::int64_t> Shape::vector() const { return {begin(), end()}; }

std::int64_t Shape::count(int first, int last) const {
  std::int64_t product = 1;
  for (int i = first; i < last; ++i) product *= sizes_[static_cast<std::size_t>(i)];
  return product;
}

int Shape::axis_of(std::int64_t axis) const {
  const std::int64_t from_front = axis < 0 ? axis + rank_ : axis;
  if (from_front < 0 || from_front >= rank_)
    throw OpError(
        "there is no axis " + std::to_string(axis) + " in shape " + to_string(*this),
        rank_ == 0 ? "A scalar has no axes" : "Use " + std::to_string(-rank_) + " to " + std::to_string(rank_ - 1));
  return static_cast<int>(from_front);
}

Shape Shape::with(int axis, std::int64_t size) const {
  auto sizes = sizes_;  // no vector: a warm step calls this
  sizes[static_cast<std::size_t>(axis < 0 ? axis + rank_ : axis)] = size;
  return Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(rank_)));
}

Shape Shape::without(int axis) const {
  auto sizes = vector();
  sizes.erase(sizes.begin() + (axis < 0 ? axis + rank_ : axis));
  return Shape(sizes);
}

Shape Shape::inserted(int axis, std::int64_t size) const {
  auto sizes = vector();
  sizes.insert(sizes.begin() + (axis < 0 ? axis + rank_ + 1 : axis), size);
  return Shape(sizes);
}

std::string to_string(const Shape& shape) {
  std::string s = "[";
  for (std::int64_t size : shape) s += (s.size() > 1 ? ", " : "") + std::to_string(size);
  return s + "]";
}

Shape broadcast(const Shape& a, const Shape& b) {
  if (a == b) return a;
  const int rank = std::max(a.rank(), b.rank());
  std::array<std::int64_t, Shape::max_rank> sizes{};
  for (int i = 1; i <= rank; ++i) {
    const std::int64_t x = i <= a.rank() ? a[-i] : 1, y = i <= b.rank() ? b[-i] : 1;
    if (x != y && x != 1 && y != 1)
      throw OpError("shapes " + to_string(a) + " and " + to_string(b) + " do not broadcast: axis " +
                        std::to_string(-i) + " is " + std::to_string(x) + " in one and " + std::to_string(y) +
                        " in the other",
                    "Make the sizes equal, or one of them 1");
    sizes[static_cast<std::size_t>(rank - i)] = x == 1 ? y : x;
  }
  return Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(rank)));
}

std::int64_t Type::stored() const {
  if (layout.plain() || shape.rank() == 0) return shape.count();
  const std::int64_t p = layout.panel;
  return shape.count(0, shape.rank() - 1) * ((shape[-1] + p - 1) / p) * p;
}

const Type& Type::absent() {
  static const Type none{.dtype = f32, .shape = {0}, .layout = {}, .present = false};
  return none;
}

std::string to_string(const Type& type) {
  if (!type.present) return "_";
  std::string s = std::string(name(type.dtype)) + to_string(type.shape);
  if (!type.layout.plain()) s += "{panel " + std::to_string(type.layout.panel) + "}";
  return s;
}

std::string to_string(Types types) {
  std::string s;
  for (const Type& t : types) s += (s.empty() ? "" : ", ") + to_string(t);
  return s;
}

}  // namespace oxbow
