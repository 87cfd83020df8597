#include <oxbow/graph/support/align.h>
#include <oxbow/graph/support/random.h>
#include <oxbow/graph/support/random_blocks.h>
#include <oxbow/graph/tensor.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

namespace oxbow {

namespace {

constexpr std::int64_t page = 4096, huge_page = 2 << 20;

// Zeros that the system hands out page by page as they are first written, in huge pages where whole ones lie within.
// Returns null when memory runs out. `size` is a multiple of a page.
std::byte* map_zeros(std::size_t size) {
  const std::size_t span = size + huge_page;  // so that it can begin on a huge page
  void* p = ::mmap(nullptr, span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(p) % huge_page;
  std::byte* const zeros = static_cast<std::byte*>(p) + before;
  if (before > 0) ::munmap(p, before);
  ::munmap(zeros + size, huge_page - before);
  ::madvise(zeros, size / huge_page * huge_page, MADV_HUGEPAGE);  // what a system without them need not follow
  return zeros;
}

}  // namespace

std::shared_ptr<std::byte> allocate(std::int64_t bytes) {
  const auto failed = [&] { return Error("out of memory: cannot allocate " + std::to_string(bytes) + " bytes"); };
  if (bytes >= huge_page) {
    const auto size = static_cast<std::size_t>(internal::round_up(bytes + internal::alignment, page));
    std::byte* const zeros = map_zeros(size);
    if (zeros == nullptr) throw failed();
    return {zeros, [size](std::byte* b) { ::munmap(b, size); }};
  }
  const auto size = static_cast<std::size_t>(internal::aligned(bytes) + internal::alignment);
  void* p = std::aligned_alloc(internal::alignment, size);
  if (p == nullptr) throw failed();
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
    constexpr std::int64_t blocks = 64;  // of each the first word
    internal::RandomWords<blocks> words;
    T* out = t.data<T>();
    for (std::int64_t first = 0; first < t.count(); first += blocks) {
      internal::random_blocks<blocks>(seed, 0, 0, static_cast<std::uint64_t>(first), words);
      for (std::int64_t i = 0; i < std::min(blocks, t.count() - first); ++i) {
        const double u = low + (high - low) * internal::uniform01(words[static_cast<std::size_t>(i)]);
        out[first + i] = is_float(dtype) ? static_cast<T>(u) : static_cast<T>(std::floor(u));
      }
    }
  });
  return t;
}

}  // namespace oxbow
