#include <oxbow/graph/support/align.h>
#include <oxbow/graph/support/random.h>
#include <oxbow/graph/tensor.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

namespace oxbow {

std::shared_ptr<std::byte> allocate(std::int64_t bytes) {
  const auto size = static_cast<std::size_t>(internal::aligned(bytes) + internal::alignment);
  void* p = std::aligned_alloc(internal::alignment, size);
  if (p == nullptr) throw Error("out of memory: cannot allocate " + std::to_string(bytes) + " bytes");
  std::memset(p, 0, size);
  return {static_cast<std::byte*>(p), [](std::byte* b) { std::free(b); }};
}

Tensor::Tensor(const Type& type) : type_(type), bytes_(allocate(type.bytes())) {}

void Tensor::check(DType wanted) const {
  if (wanted != type_.dtype)
    throw Error("a tensor of type " + to_string(type_) + " was read as " + std::string(name(wanted)) + ". Read it as " +
                std::string(name(type_.dtype)));
}

void Tensor::check_single() const {
  if (type_.count() != 1)
    throw Error("item() needs a tensor of one element, but this one is " + to_string(type_) +
                ". Read span() or data()");
}

void Tensor::fill_from(const void* from, std::size_t count) {
  if (static_cast<std::int64_t>(count) != type_.count())
    throw Error("shape " + to_string(type_.shape) + " takes " + std::to_string(type_.count()) + " values, but " +
                std::to_string(count) + " were given");
  if (count > 0) std::memcpy(bytes_.get(), from, count * static_cast<std::size_t>(size_of(type_.dtype)));
}

Tensor Tensor::clone() const {
  if (!bytes_) return *this;
  Tensor t(type_);
  std::memcpy(t.bytes(), bytes(), static_cast<std::size_t>(type_.bytes()));
  return t;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type()) return false;
  const auto bytes = static_cast<std::size_t>(a.type().bytes());
  return bytes == 0 || a.bytes() == b.bytes() || std::memcmp(a.bytes(), b.bytes(), bytes) == 0;
}

Tensor draw(const Shape& shape, double low, double high, std::uint64_t seed, DType dtype) {
  Tensor t({dtype, shape});
  dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    T* out = t.data<T>();
    for (std::int64_t i = 0; i < t.count(); ++i) {
      const double u = low + (high - low) * internal::uniform01(
                                                internal::random_block(seed, 0, 0, static_cast<std::uint64_t>(i))[0]);
      out[i] = is_float(dtype) ? static_cast<T>(u) : static_cast<T>(std::floor(u));
    }
  });
  return t;
}

}  // namespace oxbow
