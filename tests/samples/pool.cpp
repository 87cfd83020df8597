// Samples of pooling: each window's elements, one after another.
#include <oxbow/ops/conv/pool.h>

#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

struct Case {
  const char* what;
  Shape x;
  PoolAttributes options;
  PoolShape shape() const { return pool_shape(x, options); }
  Shape y() const { return shape().y(x.rank()); }
};

std::vector<Case> cases() {
  return {{"2 by 2", {2, 4, 6, 3}, {}},
          {"an odd edge left out", {1, 5, 5, 2}, {}},
          {"overlapping", {2, 5, 6, 1}, {.size = 3}},
          {"apart", {1, 7, 7, 2}, {.stride = 3}},
          {"one element", {1, 1, 1, 1}, {.size = 1, .stride = 1}},
          {"no images", {0, 4, 4, 2}, {}},
          {"no channels", {1, 4, 4, 0}, {}},
          {"padded", {2, 5, 4, 2}, {.size = 3, .stride = 2, .padding = 1}},
          {"padded on one side", {1, 4, 5, 3}, {.size = {2, 3}, .stride = {1, 2}, .padding = Padding(1, 0, 0, 2)}},
          {"same", {1, 5, 4, 3}, {.size = 2, .stride = 2, .padding = Padding::same}},
          {"same, the odd row above", {1, 5, 4, 2}, {.size = 4, .stride = 1, .padding = Padding::same_lower}},
          {"dilated", {1, 6, 7, 2}, {.size = 2, .stride = 1, .padding = 1, .dilation = {2, 3}}},
          {"an odd edge taken along", {1, 5, 6, 2}, {.size = 3, .stride = {2, 4}, .ceil_mode = true}},
          {"a window that would begin in the padding",
           {1, 4, 2, 1},
           {.size = 3, .stride = 3, .padding = 1, .ceil_mode = true}},
          {"sequences", {2, 7, 3}, {.size = 3, .stride = 2, .padding = 1}},
          {"volumes", {1, 4, 3, 4, 2}, {.size = {2, 3, 2}, .stride = {1, 1, 2}, .padding = Padding(1, 0, 1, 1, 0, 1)}},
          {"volumes, dilated",
           {2, 3, 3, 4, 1},
           {.size = 2, .stride = {2, 1, 1}, .dilation = {1, 2, 1}, .ceil_mode = true}}};
}

// Calls f(window and channel, element of x) for each element of a window that x has, row by row, and `outside(window
// and channel)` for each that the padding has.
template <class F, class G>
void each_element(const Case& c, F&& f, G&& outside) {
  const PoolShape s = c.shape();
  std::int64_t y = 0;
  for (std::int64_t n = 0; n < s.images; ++n)
    for (std::int64_t d = 0; d < s.depth.out; ++d)
      for (std::int64_t i = 0; i < s.down.out; ++i)
        for (std::int64_t j = 0; j < s.across.out; ++j)
          for (std::int64_t channel = 0; channel < s.channels; ++channel, ++y)
            for (std::int64_t a = 0; a < s.depth.taps; ++a)
              for (std::int64_t b = 0; b < s.down.taps; ++b)
                for (std::int64_t e = 0; e < s.across.taps; ++e) {
                  const std::int64_t at[] = {d * s.depth.stride + a * s.depth.dilation - s.depth.before,
                                             i * s.down.stride + b * s.down.dilation - s.down.before,
                                             j * s.across.stride + e * s.across.dilation - s.across.before};
                  const PoolShape::Axis* axes[] = {&s.depth, &s.down, &s.across};
                  bool in = true, padded = true;
                  for (int k = 0; k < 3; ++k) {
                    in = in && at[k] >= 0 && at[k] < axes[k]->in;
                    padded = padded && at[k] < axes[k]->in + axes[k]->after;
                  }
                  if (in)
                    f(y, (((n * s.depth.in + at[0]) * s.down.in + at[1]) * s.across.in + at[2]) * s.channels + channel);
                  else if (padded)
                    outside(y);
                }
}

// The element of x that is each window's first largest.
std::vector<std::int64_t> largest_of(const Case& c, const Tensor& x) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(c.y().count()), -1);
  each_element(
      c,
      [&](std::int64_t y, std::int64_t at) {
        std::int64_t& best = places[static_cast<std::size_t>(y)];
        if (best < 0 || x.data<double>()[at] > x.data<double>()[best]) best = at;
      },
      [](std::int64_t) {});
  return places;
}

std::vector<Sample> max_pool_samples() {
  std::vector<Sample> all;
  for (const Case& c : cases())
    all.push_back({c.what, MaxPool{c.options}, {draw(c.x, -1, 1, 1)}, [c](const auto& in) {
                     Tensor y({f64, c.y()});
                     std::int64_t i = 0;
                     for (std::int64_t at : largest_of(c, in[0]))
                       y.template data<double>()[i++] = in[0].template data<double>()[at];
                     return std::vector{y};
                   }});
  return all;
}

std::vector<Sample> max_pool_places_samples() {
  std::vector<Sample> all;
  for (const Case& c : cases())
    for (const bool first : {false, true})
      for (const bool columns : {false, true})
        all.push_back({c.what, MaxPoolPlaces{c.options, first, columns}, {draw(c.x, -1, 1, 1)}, [=](const auto& in) {
                         const PoolShape s = c.shape();
                         const std::int64_t d = s.depth.in, h = s.down.in, w = s.across.in;
                         Tensor y({i64, c.y()});
                         std::int64_t i = 0;
                         for (std::int64_t at : largest_of(c, in[0])) {
                           const std::int64_t channel = at % s.channels, pixel = at / s.channels % (d * h * w);
                           const std::int64_t image = at / s.channels / (d * h * w);
                           const std::int64_t place =
                               columns ? pixel % w * h * d + pixel / w % h * d + pixel / w / h : pixel;
                           y.template data<std::int64_t>()[i++] =
                               first ? (image * s.channels + channel) * d * h * w + place
                                     : (image * d * h * w + place) * s.channels + channel;
                         }
                         return std::vector{y};
                       }});
  return all;
}

std::vector<Sample> max_pool_gradient_samples() {
  std::vector<Sample> all;
  for (const Case& c : cases())
    all.push_back(
        {c.what, MaxPoolGradient{c.options}, {draw(c.x, -1, 1, 1), draw(c.y(), -1, 1, 2)}, [c](const auto& in) {
           Tensor dx({f64, c.x});
           std::int64_t i = 0;
           for (std::int64_t at : largest_of(c, in[0])) dx.data<double>()[at] += in[1].template data<double>()[i++];
           return std::vector{dx};
         }});
  return all;
}

std::vector<Sample> max_pool_gradient_gradient_samples() {
  std::vector<Sample> all;
  for (const Case& c : cases())
    all.push_back(
        {c.what, MaxPoolGradientGradient{c.options}, {draw(c.x, -1, 1, 1), draw(c.x, -1, 1, 2)}, [c](const auto& in) {
           Tensor y({f64, c.y()});
           std::int64_t i = 0;
           for (std::int64_t at : largest_of(c, in[0]))
             y.template data<double>()[i++] = in[1].template data<double>()[at];
           return std::vector{y};
         }});
  return all;
}

// By what each window's sum is divided.
std::vector<double> divisors(const Case& c, Divisor divisor) {
  std::vector<double> all(static_cast<std::size_t>(c.y().count()), divisor == Divisor::one ? 1 : 0);
  if (divisor == Divisor::one) return all;
  each_element(
      c, [&](std::int64_t y, std::int64_t) { ++all[static_cast<std::size_t>(y)]; },
      [&](std::int64_t y) { all[static_cast<std::size_t>(y)] += divisor == Divisor::padded; });
  return all;
}

std::vector<Sample> average_pool_samples() {
  std::vector<Sample> all;
  for (const Case& c : cases())
    for (const Divisor divisor : {Divisor::inside, Divisor::padded, Divisor::one})
      all.push_back({c.what, AveragePool{c.options, divisor}, {draw(c.x, -1, 1, 1)}, [=](const auto& in) {
                       Tensor y({f64, c.y()});
                       const std::vector<double> by = divisors(c, divisor);
                       each_element(
                           c,
                           [&](std::int64_t i, std::int64_t at) {
                             y.template data<double>()[i] +=
                                 in[0].template data<double>()[at] / by[static_cast<std::size_t>(i)];
                           },
                           [](std::int64_t) {});
                       return std::vector{y};
                     }});
  return all;
}

std::vector<Sample> average_pool_gradient_samples() {
  std::vector<Sample> all;
  for (const Case& c : cases())
    all.push_back(
        {c.what, AveragePoolGradient{c.options}, {draw(c.y(), -1, 1, 1), draw(c.x, -1, 1, 2)}, [=](const auto& in) {
           Tensor dx({f64, c.x});
           const std::vector<double> by = divisors(c, Divisor::inside);
           each_element(
               c,
               [&](std::int64_t i, std::int64_t at) {
                 dx.template data<double>()[at] += in[0].template data<double>()[i] / by[static_cast<std::size_t>(i)];
               },
               [](std::int64_t) {});
           return std::vector{dx};
         }});
  return all;
}

}  // namespace

void add_pool(Samples& s) {
  s.add<MaxPool>(max_pool_samples());
  s.add<MaxPoolPlaces>(max_pool_places_samples());
  s.add<MaxPoolGradient>(max_pool_gradient_samples());
  s.add<MaxPoolGradientGradient>(max_pool_gradient_gradient_samples());
  s.add<AveragePool>(average_pool_samples());
  s.add<AveragePoolGradient>(average_pool_gradient_samples());
}

}  // namespace oxbow::test
