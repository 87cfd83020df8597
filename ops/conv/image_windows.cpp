// The windows of images as rows of a matrix.
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/nodes.h>
#include <oxbow/ops/shared/gemm.h>

#include <algorithm>
#include <cstring>

namespace oxbow::ops {
namespace {

constexpr std::int64_t widest_row = 8;          // pixels of an image's row that one kernel computes at once
constexpr std::int64_t many_weights = 1 << 18;  // elements that leave the second-level cache: 1 MB

}  // namespace

// Each row of an image reads all weights once: for few pixels that takes longer than to multiply them. What is copied
// here for each of them is little beside as many products as there are kernels.
bool ConvWindows::pays(const ConvShape& s, DType dtype) {
  return gemm::sums_in_one_chain(dtype) && s.groups == 1 && s.columns <= widest_row && s.rows > 1 &&
         s.kh * s.kw * s.channels * s.kernels >= many_weights && s.kernels >= 4 * panel;
}

ConvShape ConvWindows::shape(const Type& x) const {
  check_computed<dtypes::Floats>(x, "x");
  check_one_group(groups);
  if (x.shape.rank() != 4) throw OpError("x has " + std::to_string(x.shape.rank()) + " axes where images have four");
  if (kh < 1 || kw < 1 || kh > furthest || kw > furthest)
    throw OpError("windows are " + std::to_string(kh) + " by " + std::to_string(kw));
  return conv_shape(x.shape, {kh, kw, x.shape[3], 1}, *this);
}

Type ConvWindows::infer(Types in) const {
  const ConvShape s = shape(in[0]);
  return {in[0].dtype, {s.images, s.rows, s.columns, s.kh * s.kw * s.channels}};
}

Work ConvWindows::work(Types in) const {
  const Type out = infer(in);
  const auto bytes = static_cast<double>(out.bytes() + in[0].bytes());
  const std::int64_t rows = out.shape[0] * out.shape[1];
  return {.parts = std::clamp<std::int64_t>(static_cast<std::int64_t>(bytes / part_bytes), 1,
                                            std::max<std::int64_t>(1, rows)),
          .bytes = bytes};
}

void ConvWindows::run(const Run& r) const {
  const ConvShape s = shape(r.in_type(0));
  const auto size = static_cast<std::size_t>(s.channels * size_of(r.in_type(0).dtype));
  const auto at = [size](auto* base, std::int64_t pixels) { return base + static_cast<std::size_t>(pixels) * size; };
  const auto [begin, end] = r.share(s.images * s.rows);
  std::byte* to = at(r.outputs[0].bytes, begin * s.columns * s.kh * s.kw);
  for (std::int64_t row = begin; row < end; ++row) {
    const std::byte* image = at(r.inputs[0].bytes, row / s.rows * s.height * s.width);
    for (std::int64_t column = 0; column < s.columns; ++column)
      for (std::int64_t a = 0; a < s.kh; ++a) {
        const std::int64_t y = row % s.rows * s.stride.down + a * s.dilation.down - s.top;
        for (std::int64_t b = 0; b < s.kw; ++b, to += size) {
          const std::int64_t x = column * s.stride.across + b * s.dilation.across - s.left;
          if (y >= 0 && y < s.height && x >= 0 && x < s.width)
            std::memcpy(to, at(image, y * s.width + x), size);
          else
            std::memset(to, 0, size);
        }
      }
  }
}

}  // namespace oxbow::ops
