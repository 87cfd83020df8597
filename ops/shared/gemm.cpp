#include <libxsmm_cpuid.h>
#include <libxsmm_generator.h>
#include <oxbow/ops/shared/gemm.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

namespace oxbow::ops::gemm {
namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t longest = 128 * 1024;  // bytes of a kernel, as libxsmm has it for itself
constexpr std::int64_t too_few = 16;         // elements of a factor or the result, where code for AVX2 is quicker

// A process may have some 65,000 mappings, all its memory counted. In practice neighbours are merged into one.
constexpr std::size_t most_kernels = 16 * 1024, most_bytes = 256 * 1024 * 1024;

struct Key {
  Shape shape;
  bool batch;
  auto operator<=>(const Key&) const = default;
};

// By libxsmm's numbers: the processor's instruction set, or AVX2 where LIBXSMM_TARGET=hsw asks for that.
int target() {
  static const int chosen = [] {
    const char* asked = std::getenv("LIBXSMM_TARGET");
    return asked && asked == std::string_view("hsw") ? std::min(libxsmm_cpuid(), LIBXSMM_X86_AVX2) : libxsmm_cpuid();
  }();
  return chosen;
}

// libxsmm is column-major: our row-major y = a b is its y^T = b^T a^T, so b is its first operand. Null where it has no
// such kernel.
const libxsmm_gemm_descriptor* describe(const Key& key, libxsmm_descriptor_blob& blob) {
  const Shape& s = key.shape;
  if (std::ranges::max({s.rows, s.columns, s.k, s.lda, s.ldb, s.ldy}) > std::numeric_limits<int>::max()) return nullptr;
  const int flags = (s.transpose_a ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE) |
                    (key.batch ? LIBXSMM_GEMM_FLAG_BATCH_REDUCE_OFFSET : LIBXSMM_GEMM_FLAG_NONE);
  return libxsmm_sgemm_descriptor_init(&blob, static_cast<int>(s.columns), static_cast<int>(s.rows),
                                       static_cast<int>(s.k), static_cast<int>(s.ldb), static_cast<int>(s.lda),
                                       static_cast<int>(s.ldy), 1.0f, s.accumulate ? 1.0f : 0.0f, flags,
                                       LIBXSMM_GEMM_PREFETCH_NONE);
}

// Memory that holds a kernel: written first, executed then. Empty where the system gives none.
class Mapping {
 public:
  Mapping(const void* code, std::size_t size) : size_((size + page - 1) / page * page) {
    memory_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) return;
    std::memcpy(memory_, code, size);
    if (::mprotect(memory_, size_, PROT_READ | PROT_EXEC) == 0) return;
    ::munmap(memory_, size_);
    memory_ = MAP_FAILED;
  }
  ~Mapping() {
    if (memory_ != MAP_FAILED) ::munmap(memory_, size_);
  }
  Mapping(Mapping&& other) noexcept : size_(other.size_), memory_(std::exchange(other.memory_, MAP_FAILED)) {}

  const void* code() const { return memory_ == MAP_FAILED ? nullptr : memory_; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  void* memory_;
};

// The kernels that somebody holds.
class Kernels {
 public:
  // Null where there is none, for whatever reason.
  std::shared_ptr<const void> get(const Key& key) noexcept try {
    std::shared_ptr<const Code> code;  // outlives the lock, which its end takes
    const std::lock_guard lock(mutex_);
    if (const auto place = made_.find(key); place != made_.end()) code = place->second.lock();
    if (!code && made_.size() < most_kernels && bytes_ + longest <= most_bytes) {
      code = make(key);
      if (code) made_.insert_or_assign(key, code);
    }
    if (!code) return nullptr;
    return {code, code->mapping.code()};
  } catch (const std::exception&) {
    return nullptr;  // no memory
  }

  KernelUse use() {
    const std::lock_guard lock(mutex_);
    return {made_.size(), bytes_};
  }

 private:
  struct Code {
    Code(Kernels& of, const Key& k, Mapping&& m) : owner(of), key(k), mapping(std::move(m)) {
      owner.bytes_ += mapping.size();
    }
    ~Code() { owner.forget(*this); }
    Kernels& owner;
    const Key key;
    const Mapping mapping;
  };

  // With the lock held.
  std::shared_ptr<const Code> make(const Key& key) {
    libxsmm_descriptor_blob blob;
    const libxsmm_gemm_descriptor* description = describe(key, blob);
    if (!description) return nullptr;
    if (!buffer_) buffer_ = std::make_unique<std::byte[]>(longest);
    const Shape& s = key.shape;
    libxsmm_generated_code out{};
    out.generated_code = buffer_.get();
    out.buffer_size = longest;
    out.code_type = 2;  // binary
    out.arch = static_cast<unsigned>(
        std::min({s.columns * s.k, s.k * s.rows, s.columns * s.rows}) <= too_few ? LIBXSMM_X86_AVX2 : target());
    libxsmm_generator_gemm_kernel(&out, description);
    if (out.last_error != 0 || out.code_size == 0) return nullptr;
    Mapping mapping(buffer_.get(), out.code_size);
    return mapping.code() ? std::make_shared<const Code>(*this, key, std::move(mapping)) : nullptr;
  }

  void forget(const Code& code) {
    const std::lock_guard lock(mutex_);
    bytes_ -= code.mapping.size();
    const auto place = made_.find(code.key);
    if (place != made_.end() && place->second.expired()) made_.erase(place);  // not one that was made since
  }

  std::mutex mutex_;
  std::map<Key, std::weak_ptr<const Code>> made_;  // guarded by mutex_, as are these
  std::size_t bytes_ = 0;
  std::unique_ptr<std::byte[]> buffer_;
};

// Never destroyed: plans that end later give their kernels back.
Kernels& kernels() {
  static auto* const all = new Kernels;
  return *all;
}

}  // namespace

// libxsmm's kernels: the peak as read, 175 with AVX-512 and 98 to 117 with AVX2, as what memory takes counts apart;
// narrow ones fill registers of 16. The others as tools/docs/kernels.md says.
double flops_per_ns(DType dtype, std::int64_t columns) {
  if (!sums_in_one_chain(dtype) || !has_jit()) return is_float(dtype) ? 40 : 25;
  const double full = reads_whole_panels() ? 175 : 105;
  return columns > 16 ? full : 0.8 * full * static_cast<double>(std::max<std::int64_t>(columns, 1)) / 16;
}

bool has_jit() { return target() >= LIBXSMM_X86_AVX2; }
bool reads_whole_panels() { return target() >= LIBXSMM_X86_AVX512; }

Kernel kernel(const Shape& s) { return Kernel(kernels().get({s, false})); }
BatchKernel batch_kernel(const Shape& s) { return BatchKernel(kernels().get({s, true})); }

KernelUse kernel_use() { return kernels().use(); }

}  // namespace oxbow::ops::gemm
