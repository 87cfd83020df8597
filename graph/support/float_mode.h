// The floating-point mode in which all of Oxbow computes, whatever the calling thread has set: round to nearest, no
// traps, denormals taken and given as zeros (an optimizer's moments decay into denormals, which are many times slower).
// The mode belongs to the thread; one guard around each stretch of kernels sets it and restores what was there before.
#pragma once

#include <cfenv>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace oxbow::internal {

class FloatMode {
 public:
#if defined(__x86_64__)
  FloatMode() : before_(_mm_getcsr()) { _mm_setcsr(0x9fc0); }  // all exceptions masked, FTZ, DAZ, to nearest
  ~FloatMode() { _mm_setcsr(before_); }
#else
  FloatMode() : before_(std::fegetround()) { std::fesetround(FE_TONEAREST); }
  ~FloatMode() { std::fesetround(before_); }
#endif
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

 private:
#if defined(__x86_64__)
  unsigned before_;
#else
  int before_;
#endif
};

}  // namespace oxbow::internal
