// A tensor in host memory: a type and 64-byte aligned bytes, shared by copies. Constants, feeds and fetched results.
// Thread safety: as a shared_ptr; do not write while another thread reads.
#pragma once

#include <oxbow/graph/error.h>
#include <oxbow/graph/type.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace oxbow {

/// Elements side by side in memory: a vector, an array, a span.
template <class R>
concept ElementRange =
    std::ranges::contiguous_range<R> && std::ranges::sized_range<R> && Element<std::ranges::range_value_t<R>>;

class Tensor {
 public:
  /// No tensor: `type()` is f32[0].
  Tensor() : type_{f32, {0}} {}
  /// Zeros of this type.
  explicit Tensor(const Type& type);
  /// Bytes owned elsewhere (a mapped file, say), kept alive by `owner`; not copied.
  Tensor(const Type& type, std::shared_ptr<std::byte> owner) : type_(type), bytes_(std::move(owner)) {}

  /// A scalar.
  template <Element T>
  static Tensor scalar(T v) {
    Tensor t({dtype_of<T>, {}});
    *t.data<T>() = v;
    return t;
  }
  /// A copy of `values`, row-major. Throws `Error` unless there are as many as `shape` has elements.
  template <Element T>
  static Tensor of(const Shape& shape, std::span<const T> values) {
    Tensor t({dtype_of<T>, shape});
    t.fill_from(values.data(), values.size());
    return t;
  }
  template <Element T>
  static Tensor of(const Shape& shape, std::initializer_list<T> values) {
    return of<T>(shape, std::span<const T>(values.begin(), values.size()));
  }
  /// The same of a vector, an array or a span: `Tensor::of({2, 3}, numbers)`.
  template <ElementRange R>
  static Tensor of(const Shape& shape, const R& values) {
    return of(shape, std::span<const std::ranges::range_value_t<R>>(values));
  }

  const Type& type() const { return type_; }
  const Shape& shape() const { return type_.shape; }
  DType dtype() const { return type_.dtype; }
  std::int64_t count() const { return type_.count(); }

  std::byte* bytes() { return bytes_.get(); }
  const std::byte* bytes() const { return bytes_.get(); }

  /// The elements. Throws `Error` when T is not this tensor's dtype.
  template <Element T>
  T* data() {
    check(dtype_of<T>);
    return reinterpret_cast<T*>(bytes_.get());
  }
  template <Element T>
  const T* data() const {
    check(dtype_of<T>);
    return reinterpret_cast<const T*>(bytes_.get());
  }
  template <Element T>
  std::span<T> span() & {
    return {data<T>(), static_cast<std::size_t>(type_.stored())};
  }
  template <Element T>
  std::span<const T> span() const& {
    return {data<T>(), static_cast<std::size_t>(type_.stored())};
  }
  /// Of a temporary there is no span: its bytes end with it. Give the tensor a name first.
  template <Element T>
  std::span<const T> span() const&& = delete;
  /// The only element. Throws `Error` unless there is exactly one.
  template <Element T>
  T item() const {
    check_single();
    return *data<T>();
  }
  /// A copy with bytes of its own.
  Tensor clone() const;
  /// Whether no other tensor shares the bytes.
  bool sole() const { return bytes_.use_count() == 1; }

 private:
  void check(DType wanted) const;
  void check_single() const;
  void fill_from(const void* from, std::size_t count);

  Type type_;
  std::shared_ptr<std::byte> bytes_;
};

/// Same type and same bytes (so NaN equals itself, and 0.0 differs from -0.0).
bool same_bits(const Tensor& a, const Tensor& b);

/// A tensor of reproducible draws, uniform in [low, high): f64 by default, integers rounded down. The same seed gives
/// the same numbers on every machine.
Tensor draw(const Shape& shape, double low, double high, std::uint64_t seed, DType dtype = f64);

/// Zeroed, 64-byte aligned memory. Throws `Error` that names the size when there is none.
std::shared_ptr<std::byte> allocate(std::int64_t bytes);

}  // namespace oxbow
