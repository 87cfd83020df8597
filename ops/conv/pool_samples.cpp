#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/pool.h>

namespace oxbow::ops {
namespace {

Shape pooled_shape(const Shape& x, std::int64_t size, std::int64_t stride) {
  const Type image{f64, x};
  return MaxPool{.size = size, .stride = stride}.infer({&image, 1}).shape;
}

// The place in the image of each window's first largest element, in the order of the pooled elements.
std::vector<std::int64_t> largest_of(const Tensor& x, std::int64_t size, std::int64_t stride) {
  std::vector<std::int64_t> places;
  const Shape s = x.shape(), y = pooled_shape(s, size, stride);
  for (std::int64_t n = 0; n < y[0]; ++n)
    for (std::int64_t i = 0; i < y[1]; ++i)
      for (std::int64_t j = 0; j < y[2]; ++j)
        for (std::int64_t c = 0; c < y[3]; ++c) {
          std::int64_t best = -1;
          for (std::int64_t a = 0; a < size; ++a)
            for (std::int64_t b = 0; b < size; ++b) {
              const std::int64_t at = ((n * s[1] + i * stride + a) * s[2] + j * stride + b) * s[3] + c;
              if (best < 0 || x.data<double>()[at] > x.data<double>()[best]) best = at;
            }
          places.push_back(best);
        }
  return places;
}

struct Case {
  const char* what;
  Shape x;
  std::int64_t size, stride;
};
const Case cases[] = {{"2 by 2", {2, 4, 6, 3}, 2, 2},      {"an odd edge left out", {1, 5, 5, 2}, 2, 2},
                      {"overlapping", {2, 5, 6, 1}, 3, 2}, {"apart", {1, 7, 7, 2}, 2, 3},
                      {"one element", {1, 1, 1, 1}, 1, 1}, {"no images", {0, 4, 4, 2}, 2, 2},
                      {"no channels", {1, 4, 4, 0}, 2, 2}};

}  // namespace

std::vector<Sample> MaxPool::samples() {
  std::vector<Sample> all;
  for (const Case& c : cases)
    all.push_back({c.what, MaxPool{.size = c.size, .stride = c.stride}, {draw(c.x, -1, 1, 1)}, [c](const auto& in) {
                     Tensor y({f64, pooled_shape(c.x, c.size, c.stride)});
                     std::int64_t i = 0;
                     for (std::int64_t at : largest_of(in[0], c.size, c.stride))
                       y.template data<double>()[i++] = in[0].template data<double>()[at];
                     return std::vector{y};
                   }});
  return all;
}

std::vector<Sample> MaxPoolGradient::samples() {
  std::vector<Sample> all;
  for (const Case& c : cases)
    all.push_back({c.what,
                   MaxPoolGradient{.size = c.size, .stride = c.stride},
                   {draw(c.x, -1, 1, 1), draw(pooled_shape(c.x, c.size, c.stride), -1, 1, 2)},
                   [c](const auto& in) {
                     Tensor dx({f64, c.x});
                     std::int64_t i = 0;
                     for (std::int64_t at : largest_of(in[0], c.size, c.stride))
                       dx.data<double>()[at] += in[1].template data<double>()[i++];
                     return std::vector{dx};
                   }});
  return all;
}

std::vector<Sample> MaxPoolPick::samples() {
  std::vector<Sample> all;
  for (const Case& c : cases)
    all.push_back({c.what,
                   MaxPoolPick{.size = c.size, .stride = c.stride},
                   {draw(c.x, -1, 1, 1), draw(c.x, -1, 1, 2)},
                   [c](const auto& in) {
                     Tensor y({f64, pooled_shape(c.x, c.size, c.stride)});
                     std::int64_t i = 0;
                     for (std::int64_t at : largest_of(in[0], c.size, c.stride))
                       y.template data<double>()[i++] = in[1].template data<double>()[at];
                     return std::vector{y};
                   }});
  return all;
}

}  // namespace oxbow::ops
