// What builders of image functions share: from `channels_first` to the layout that kernels compute in and back, and
// checks of ranks. Internal to ops/. They append to x's graph.
#pragma once

#include <oxbow/ops/windows.h>

namespace oxbow::ops {

/// x [n, c, ...] as [n, ..., c], where it has `rank` axes and the format asks for it; else x.
Value to_channels_last(Value x, int rank, DataFormat format, At at);
/// Back: y [n, ..., c] as [n, c, ...].
Value from_channels_last(Value y, DataFormat format, At at);
/// Weights [k, c / groups, ...] as [..., c / groups, k], where they have `rank` axes and the format asks for it.
Value weights_last(Value w, int rank, DataFormat format, At at);
/// y [n, ..., k] plus a bias [k], if there is one, in the format. Throws `Error` for one of another shape or dtype.
Value with_bias(const char* builder, Value y, Value bias, DataFormat format, At at);

/// Throws the `Error` of `builder` about x and weights, which are told.
[[noreturn]] void refuse_convolution(const char* builder, const std::string& problem, Value x, Value weights, At at,
                                     const std::string& remedy);
/// Throws `Error` unless both are there and have so many axes; `images` and `kernels` say which.
void check_ranks(const char* builder, Value x, Value weights, int rank, const char* images, const char* kernels, At at);

/// Numbers as a constant i64[n] of x's graph.
Value whole_numbers(Value x, const std::vector<std::int64_t>& list, At at);

}  // namespace oxbow::ops
