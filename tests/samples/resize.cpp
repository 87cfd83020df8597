// Samples of resized axes: for each element of the result, those of x in the order of their distance, weighted by the
// textbook's formulas (ONNX's Resize; Keys 1981 for the cubic ones).
#include <oxbow/ops/conv/resize_axis.h>

#include <algorithm>
#include <cmath>

#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

// The weight of an element so far away.
double hat(double distance) { return std::max(0.0, 1 - std::abs(distance)); }
double keys(double distance, double a) {
  const long double x = std::abs(distance);  // large terms cancel out
  if (x <= 1) return static_cast<double>((a + 2) * x * x * x - (a + 3) * x * x + 1);
  return x < 2 ? static_cast<double>(a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a) : 0;
}

double place(const ResizeAttributes& o, std::int64_t i, std::int64_t in, std::int64_t out) {
  const double x = static_cast<double>(i), n = static_cast<double>(in), m = static_cast<double>(out);
  const double scale = o.size < 0 ? o.scale : m / n;
  if (o.coordinates == "align_corners") return scale * n == 1 ? 0 : x * (n - 1) / (scale * n - 1);
  if (o.coordinates == "asymmetric") return x / scale;
  if (o.coordinates == "tf_half_pixel_for_nn") return (x + 0.5) / scale;
  if (o.coordinates == "pytorch_half_pixel" && out == 1) return -0.5;
  if (o.coordinates == "half_pixel_symmetric") return n / 2 - m / scale / 2 + (x + 0.5) / scale - 0.5;
  if (o.coordinates == "tf_crop_and_resize")
    return (n - 1) * (out == 1 ? (o.begin + o.end) / 2 : o.begin + x * (o.end - o.begin) / (m - 1));
  return (x + 0.5) / scale - 0.5;
}

// Element i of the result as weights of all elements of x; `constant` is what is added.
std::vector<double> weights_of(const ResizeAttributes& o, std::int64_t i, std::int64_t in, std::int64_t out,
                               double& constant) {
  std::vector<double> all(static_cast<std::size_t>(in));
  const double at = place(o, i, in, out);
  constant = 0;
  if (o.coordinates == "tf_crop_and_resize" && (at < 0 || at > static_cast<double>(in - 1))) {
    constant = o.outside;
    return all;
  }
  const auto add = [&](std::int64_t element, double w) {
    all[static_cast<std::size_t>(std::clamp<std::int64_t>(element, 0, in - 1))] += w;
  };
  if (o.mode == "nearest") {
    const double low = std::floor(at), rest = at - low;
    double nearest = o.nearest_mode == "ceil" ? std::ceil(at) : low;
    if (o.nearest_mode == "round_prefer_floor") nearest = rest > 0.5 ? low + 1 : low;
    if (o.nearest_mode == "round_prefer_ceil") nearest = rest >= 0.5 ? low + 1 : low;
    add(static_cast<std::int64_t>(nearest), 1);
    return all;
  }
  const double scale = o.size < 0 ? o.scale : static_cast<double>(out) / static_cast<double>(in);
  const double squeeze = o.antialias ? std::min(1.0, scale) : 1;
  double sum = 0;
  const std::int64_t far = in + 40;
  std::vector<std::pair<std::int64_t, double>> terms;
  for (std::int64_t e = -far; e < in + far; ++e) {
    const double d = (static_cast<double>(e) - at) * squeeze;
    const double w = o.mode == "linear" ? hat(d) : keys(d, o.cubic_coefficient);
    if (w == 0 || (o.exclude_outside && (e < 0 || e >= in))) continue;
    terms.emplace_back(e, w);
    sum += w;
  }
  for (const auto& [e, w] : terms) add(e, o.antialias || o.exclude_outside ? w / sum : w);
  return all;
}

struct Case {
  const char* what;
  Shape x;
  ResizeAttributes options;
  int axis() const { return x.axis_of(options.axis); }
  std::int64_t out() const { return resized_size(options, x[axis()]); }
  Shape y() const { return x.with(axis(), out()); }
};

// Calls f(element of y, element of x, weight) for each weight, and g(element of y, constant).
template <class F, class G>
void each_weight(const Case& c, F&& f, G&& g) {
  const int a = c.axis();
  const std::int64_t outer = c.x.count(0, a), inner = c.x.count(a + 1, c.x.rank()), in = c.x[a], out = c.out();
  for (std::int64_t i = 0; i < out; ++i) {
    double constant = 0;
    const std::vector<double> w = weights_of(c.options, i, in, out, constant);
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t k = 0; k < inner; ++k) {
        g((o * out + i) * inner + k, constant);
        for (std::int64_t e = 0; e < in; ++e)
          f((o * out + i) * inner + k, (o * in + e) * inner + k, w[static_cast<std::size_t>(e)]);
      }
  }
}

std::vector<Case> cases() {
  return {
      {"nearest, twice as long",
       {2, 3, 2},
       {.axis = 1, .scale = 2, .coordinates = "asymmetric", .nearest_mode = "floor"}},
      {"nearest, halves down", {5}, {.axis = 0, .size = 8}},
      {"nearest, halves up", {2, 5}, {.axis = -1, .size = 2, .nearest_mode = "round_prefer_ceil"}},
      {"nearest, up", {4, 2}, {.axis = 0, .scale = 1.5, .coordinates = "align_corners", .nearest_mode = "ceil"}},
      {"nearest of half pixels", {1, 6, 3}, {.axis = 1, .size = 4, .coordinates = "tf_half_pixel_for_nn"}},
      {"linear", {2, 4, 3}, {.axis = 1, .scale = 2, .mode = "linear"}},
      {"linear, smaller", {2, 7, 1}, {.axis = 1, .scale = 0.6, .mode = "linear"}},
      {"linear, corners", {3, 4}, {.axis = 1, .size = 7, .mode = "linear", .coordinates = "align_corners"}},
      {"linear, to one", {3, 4}, {.axis = 1, .size = 1, .mode = "linear", .coordinates = "pytorch_half_pixel"}},
      {"linear, centred", {3, 5}, {.axis = 1, .scale = 0.7, .mode = "linear", .coordinates = "half_pixel_symmetric"}},
      {"linear, filtered", {2, 9, 2}, {.axis = 1, .size = 4, .mode = "linear", .antialias = true}},
      {"linear, inside alone",
       {2, 6},
       {.axis = 1, .size = 4, .mode = "linear", .exclude_outside = true, .antialias = true}},
      {"cubic", {1, 5, 2}, {.axis = 1, .scale = 1.7, .mode = "cubic"}},
      {"cubic, smaller", {6}, {.axis = 0, .size = 4, .mode = "cubic", .cubic_coefficient = -0.5}},
      {"cubic, inside alone", {2, 5}, {.axis = 1, .size = 9, .mode = "cubic", .exclude_outside = true}},
      {"cubic, filtered", {2, 8}, {.axis = 1, .size = 3, .mode = "cubic", .antialias = true}},
      {"a part",
       {2, 6, 1},
       {.axis = 1, .size = 4, .mode = "linear", .coordinates = "tf_crop_and_resize", .begin = 0.1, .end = 0.7}},
      {"a part beyond",
       {2, 6, 1},
       {.axis = 1,
        .size = 5,
        .mode = "linear",
        .coordinates = "tf_crop_and_resize",
        .begin = -0.3,
        .end = 1.2,
        .outside = 2.5}},
      {"the nearest of a part",
       {6},
       {.axis = 0, .size = 4, .coordinates = "tf_crop_and_resize", .begin = 0.9, .end = 0.2, .outside = -1}},
      {"as it is", {3, 4}, {.axis = 0, .size = 3, .mode = "linear"}},
      {"nothing left", {3, 4}, {.axis = 0, .size = 0, .mode = "linear"}},
      {"nothing beside", {3, 0}, {.axis = 0, .size = 2, .mode = "linear"}}};
}

std::vector<Sample> resize_axis_samples() {
  std::vector<Sample> all;
  for (const Case& c : cases())
    all.push_back(
        {c.what, ResizeAxis{c.options}, {draw(c.x, -1, 1, 1)}, [c](const std::vector<Tensor>& in) {
           Tensor y({f64, c.y()});
           each_weight(
               c, [&](std::int64_t i, std::int64_t e, double w) { y.data<double>()[i] += w * in[0].data<double>()[e]; },
               [&](std::int64_t i, double constant) { y.data<double>()[i] += constant; });
           return std::vector{y};
         }});
  return all;
}

std::vector<Sample> resize_axis_gradient_samples() {
  std::vector<Sample> all;
  for (const Case& c : cases())
    all.push_back(
        {c.what,
         ResizeAxisGradient{c.options},
         {draw(c.y(), -1, 1, 1), draw(c.x, -1, 1, 2)},
         [c](const std::vector<Tensor>& in) {
           Tensor dx({f64, c.x});
           each_weight(
               c,
               [&](std::int64_t i, std::int64_t e, double w) { dx.data<double>()[e] += w * in[0].data<double>()[i]; },
               [](std::int64_t, double) {});
           return std::vector{dx};
         }});
  return all;
}

}  // namespace

void add_resize(Samples& s) {
  s.add<ResizeAxis>(resize_axis_samples());
  s.add<ResizeAxisGradient>(resize_axis_gradient_samples());
}

}  // namespace oxbow::test
