#include <oxbow/graph/leaves.h>
#include <oxbow/ops/conv/channels.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>

#include <numeric>

namespace oxbow::ops {

Value to_channels_last(Value x, int rank, DataFormat format, At at) {
  if (format == channels_last || !x || x.rank() != rank) return x;
  std::vector<std::int64_t> axes(static_cast<std::size_t>(rank));
  std::iota(axes.begin() + 1, axes.end(), 2);
  axes.back() = 1;
  return transpose(x, axes, at);
}

Value from_channels_last(Value y, DataFormat format, At at) {
  if (format == channels_last) return y;
  std::vector<std::int64_t> axes(static_cast<std::size_t>(y.rank()));
  std::iota(axes.begin() + 1, axes.end(), 0);
  axes[1] = y.rank() - 1;
  return transpose(y, axes, at);
}

Value weights_last(Value w, int rank, DataFormat format, At at) {
  if (format == channels_last || !w || w.rank() != rank) return w;
  std::vector<std::int64_t> axes(static_cast<std::size_t>(rank));
  std::iota(axes.begin(), axes.end(), 2);
  axes[axes.size() - 2] = 1;
  axes.back() = 0;
  return transpose(w, axes, at);
}

Value with_bias(const char* builder, Value y, Value bias, DataFormat format, At at) {
  if (bias) {
    if (bias.type() != Type{y.dtype(), {y.shape()[-1]}})
      throw BuildError(builder, "the bias is " + to_string(bias.type()) + at_line(at) + "\n  Give " +
                                    to_string(Type{y.dtype(), {y.shape()[-1]}}) + ", a number for each result channel");
    y = add(y, bias, at);
  }
  return from_channels_last(y, format, at);
}

void refuse_convolution(const char* builder, const std::string& problem, Value x, Value weights, At at,
                        const std::string& remedy) {
  const auto told = [](const char* name, Value v) {
    return std::string("\n  ") + name + ": " + to_string(v.type()) + " from " + to_string(v.node());
  };
  throw BuildError(builder, problem + told("x", x) + told("weights", weights) + at_line(at) + "\n  " + remedy);
}

void check_ranks(const char* builder, Value x, Value weights, int rank, const char* images, const char* kernels,
                 At at) {
  if (!x || !weights)
    throw BuildError(builder, std::string(x ? "weights are" : "x is") + " an empty Value\n  Build it first");
  if (x.rank() != rank)
    refuse_convolution(builder, "x has " + std::to_string(x.rank()) + " axes, not " + std::to_string(rank), x, weights,
                       at, std::string("Give ") + images);
  if (weights.rank() != rank)
    refuse_convolution(builder,
                       "the weights have " + std::to_string(weights.rank()) + " axes, not " + std::to_string(rank), x,
                       weights, at, std::string("Give ") + kernels);
}

Value whole_numbers(Value x, const std::vector<std::int64_t>& list, At at) {
  return constant(x.graph(), Tensor::of<std::int64_t>({static_cast<std::int64_t>(list.size())}, list), at);
}

}  // namespace oxbow::ops
