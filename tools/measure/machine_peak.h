// What one core of this machine can do at most, measured, while so many of them are busy.
// Thread safety: measures on the caller's thread and others of its own; one measurement at a time makes sense.
#pragma once

namespace oxbow::tools {

struct MachinePeak {
  double flops_per_ns = 0;  ///< of one core: single-precision fused multiply-adds in registers, two flops each
  double bytes_per_ns = 0;  ///< of one core: read and written, from and to main memory
};

/// Takes some 0.2 seconds. Of fewer threads where the system does not give as many.
MachinePeak measure_peak(int threads);

}  // namespace oxbow::tools
