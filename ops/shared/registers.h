// Registers of several numbers, for kernels that keep sums in them: how many stay there is then the kernel's choice,
// not the compiler's. Internal to ops/.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#if defined(__FMA__)
#include <immintrin.h>
#endif

namespace oxbow::ops {

#if defined(__AVX512F__)
constexpr int register_bytes = 64;
#elif defined(__AVX__)
constexpr int register_bytes = 32;
#else
constexpr int register_bytes = 16;
#endif

template <class T, int lanes>
struct RegisterOf {
  typedef T type __attribute__((vector_size(sizeof(T) * lanes)));
};
template <class T>
struct RegisterOf<T, 1> {
  using type = T;
};
template <class T, int lanes>
using Register = typename RegisterOf<T, lanes>::type;

/// From and to anywhere in an array.
template <class T, int lanes>
inline Register<T, lanes> load(const T* from) {
  Register<T, lanes> r;
  std::memcpy(&r, from, sizeof r);
  return r;
}
template <class T, class R>
inline void store(const R& r, T* to) {
  std::memcpy(to, &r, sizeof r);
}

/// sum += a b, rounded once where the target has fused multiply-adds: by intrinsics, since the language has no word for
/// it, and what a compiler fuses by itself depends on how much it optimizes and for which processor.
template <class T, int lanes>
inline void add_product(const Register<T, lanes>& a, const Register<T, lanes>& b, Register<T, lanes>& sum) {
#if defined(__FMA__)
  using R = Register<T, lanes>;
  constexpr bool single = std::is_same_v<T, float>;
  if constexpr (lanes == 1) {
    sum = std::fma(a, b, sum);
  } else if constexpr (sizeof(R) == 16) {
    if constexpr (single)
      sum = R(_mm_fmadd_ps(__m128(a), __m128(b), __m128(sum)));
    else
      sum = R(_mm_fmadd_pd(__m128d(a), __m128d(b), __m128d(sum)));
  } else if constexpr (sizeof(R) == 32) {
    if constexpr (single)
      sum = R(_mm256_fmadd_ps(__m256(a), __m256(b), __m256(sum)));
    else
      sum = R(_mm256_fmadd_pd(__m256d(a), __m256d(b), __m256d(sum)));
  } else {
#if defined(__AVX512F__)
    if constexpr (single)
      sum = R(_mm512_fmadd_ps(__m512(a), __m512(b), __m512(sum)));
    else
      sum = R(_mm512_fmadd_pd(__m512d(a), __m512d(b), __m512d(sum)));
#endif
  }
#else
  sum += a * b;
#endif
}

}  // namespace oxbow::ops
