// NumPy's arrays, .npy: a magic text, a version, a header that gives dtype, order and shape, then the elements.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Versions 1 to 3; either byte order, and
// Fortran's order of axes, become this machine's and rows first. Thread safety: functions without shared state.
#pragma once

#include <oxbow/graph/tensor.h>

#include <string>

namespace oxbow {

/// numpy.load. Floating-point numbers of 16, 32 and 64 bits, integers of 8 to 64, bool. Throws `Error` that names the
/// file and what is wrong with it: another dtype (text, complex numbers, objects), more than 8 axes, cut short, too
/// long.
Tensor load_npy(const std::string& path);

/// numpy.save, atomically, as version 1. Throws `Error` for bf16, which NumPy lacks, and when it cannot be written; the
/// old file is then untouched.
void save_npy(const std::string& path, const Tensor& tensor);

}  // namespace oxbow
