#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/tables.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/resize_axis.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/transpose.h>

#include <algorithm>
#include <cmath>

namespace oxbow::ops {
namespace {

void check_word(const char* what, const std::string& word, std::initializer_list<std::string_view> words) {
  if (std::find(words.begin(), words.end(), word) == words.end())
    throw OpError("there is no " + std::string(what) + " \"" + word + "\"", "Use the words of ONNX's Resize");
}

void check(const ResizeAttributes& a, std::int64_t size) {
  check_word("interpolation", a.mode, {"nearest", "linear", "cubic"});
  check_word("rule of coordinates", a.coordinates,
             {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
              "tf_half_pixel_for_nn", "tf_crop_and_resize"});
  check_word("nearest mode", a.nearest_mode, {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
  for (const double number : {a.scale, a.begin, a.end, a.cubic_coefficient})
    if (!(std::abs(number) <= 1 << 20)) throw OpError("one of its numbers is " + internal::short_number(number), "");
  if (size == 0 && resized_size(a, size) > 0)
    throw OpError("an axis without elements cannot get some", "Give x at least one");
}

// Where element o lies on the axis that has `in` elements.
double place(const ResizeAttributes& a, double scale, std::int64_t o, std::int64_t in, std::int64_t out) {
  const auto x = static_cast<double>(o), size = static_cast<double>(in);
  const double wanted = scale * size;  // perhaps no whole number
  if (a.coordinates == "half_pixel") return (x + 0.5) / scale - 0.5;
  if (a.coordinates == "half_pixel_symmetric")
    return size / 2 * (1 - static_cast<double>(out) / wanted) + (x + 0.5) / scale - 0.5;
  if (a.coordinates == "pytorch_half_pixel") return out == 1 ? -0.5 : (x + 0.5) / scale - 0.5;
  if (a.coordinates == "align_corners") return wanted == 1 ? 0 : x * (size - 1) / (wanted - 1);
  if (a.coordinates == "asymmetric") return x / scale;
  if (a.coordinates == "tf_half_pixel_for_nn") return (x + 0.5) / scale;
  const double reach = (a.end - a.begin) * (size - 1);
  return a.begin * (size - 1) + (out == 1 ? reach / 2 : x * reach / static_cast<double>(out - 1));
}

// Keys' polynomials by their roots: multiplied out, large terms cancel out and leave their rounding.
double cubic(double distance, double a) {
  const double x = std::abs(distance);
  if (x <= 1) return (x - 1) * (((a + 2) * x - 1) * x - 1);
  return x < 2 ? a * (x - 1) * (x - 2) * (x - 2) : 0;
}

bool takes_upper(const std::string& mode, double ratio) {
  if (mode == "round_prefer_floor") return ratio > 0.5;
  if (mode == "round_prefer_ceil") return ratio >= 0.5;
  if (mode == "floor") return ratio == 1;
  return true;
}

// The weights of the elements base + first, base + first + 1, ... for a place `ratio`, in (0, 1], behind `base`.
struct Filter {
  std::int64_t first = 0;
  std::vector<double> weights = {};
};

double radius_of(const ResizeAttributes& a) { return a.mode == "linear" ? 1 : 2; }
// A filter as wide as all elements is as wide as it gets.
double squeeze_of(const ResizeAttributes& a, double scale, std::int64_t size) {
  return a.antialias ? std::clamp(scale, 1 / static_cast<double>(size), 1.0) : 1.0;
}

Filter filter_of(const ResizeAttributes& a, double ratio, double scale, std::int64_t size) {
  if (a.mode == "nearest") return {takes_upper(a.nearest_mode, ratio) ? 1 : 0, {1.0}};
  const double radius = radius_of(a), squeeze = squeeze_of(a, scale, size);
  Filter f{.first = static_cast<std::int64_t>(std::floor(-radius / squeeze)) + 1};
  double sum = 0;
  for (std::int64_t i = f.first; i < 2 - f.first; ++i) {
    const double distance = (static_cast<double>(i) - ratio) * squeeze;
    f.weights.push_back(a.mode == "linear" ? std::clamp(1 - std::abs(distance), 0.0, 1.0)
                                           : cubic(distance, a.cubic_coefficient));
    sum += f.weights.back();
  }
  if (a.antialias)
    for (double& w : f.weights) w /= sum;
  return f;
}

// Bytes of an element and of each term of its sum: with what memory in small pieces takes.
constexpr std::int64_t entry = sizeof(std::vector<AxisSums::Term>) + 16, term = sizeof(AxisSums::Term);

}  // namespace

std::int64_t resized_size(const ResizeAttributes& a, std::int64_t size) {
  if (a.size > furthest) throw OpError("the size is " + std::to_string(a.size), "Give a smaller one");
  if (a.size >= 0) return a.size;
  if (!(a.scale > 0 && a.scale <= 1 << 20)) throw OpError("the scale is not above 0", "Give the ratio of the sizes");
  // In single precision, as ONNX has its scales.
  const float part = a.coordinates == "tf_crop_and_resize" ? static_cast<float>(a.end - a.begin) : 1.0f;
  const float wanted = std::floor(static_cast<float>(size) * part * static_cast<float>(a.scale));
  if (!(wanted >= 0 && wanted <= static_cast<float>(furthest)))
    throw OpError("an axis of " + std::to_string(size) + " elements would become too long", "Use a smaller scale");
  return static_cast<std::int64_t>(wanted);
}

AxisSums resized_sums(const ResizeAttributes& a, std::int64_t size) {
  const std::int64_t out = resized_size(a, size);
  const double scale = a.scale > 0 ? a.scale : static_cast<double>(out) / static_cast<double>(size);
  AxisSums sums;
  if (out == 0) return sums;
  const double most_terms = a.mode == "nearest" ? 1 : std::min(0x1p40, 2 * radius_of(a) / squeeze_of(a, scale, size));
  internal::claim_table(out, entry + static_cast<std::int64_t>(most_terms) * term);
  sums.of.reserve(static_cast<std::size_t>(out));
  for (std::int64_t o = 0; o < out; ++o) {
    auto& terms = sums.of.emplace_back();
    const double at = place(a, scale, o, size, out);
    sums.outside.push_back(a.coordinates == "tf_crop_and_resize" && (at < 0 || at > static_cast<double>(size - 1)));
    if (sums.outside.back()) continue;
    const double base = std::ceil(at) - 1;
    Filter f = filter_of(a, at - base, scale, size);
    if (a.exclude_outside && a.mode != "nearest") {
      double sum = 0;
      for (std::size_t i = 0; i < f.weights.size(); ++i) {
        const double element = base + static_cast<double>(f.first + static_cast<std::int64_t>(i));
        if (element < 0 || element >= static_cast<double>(size)) f.weights[i] = 0;
        sum += f.weights[i];
      }
      for (double& w : f.weights) w /= sum;
    }
    for (std::size_t i = 0; i < f.weights.size(); ++i) {
      if (f.weights[i] == 0) continue;
      const double element = base + static_cast<double>(f.first + static_cast<std::int64_t>(i));
      const auto within = static_cast<std::int64_t>(std::clamp(element, 0.0, static_cast<double>(size - 1)));
      if (!terms.empty() && terms.back().at == within)
        terms.back().weight += f.weights[i];
      else
        terms.push_back({within, f.weights[i]});
    }
  }
  return sums;
}

namespace {

// The same seen from the other side: what each element goes to.
AxisSums turned_round(const AxisSums& sums, std::int64_t size) {
  AxisSums back;
  std::int64_t terms = 0;
  for (const auto& of : sums.of) terms += std::ssize(of);
  internal::claim_table(size, entry);
  internal::claim_table(terms, 2 * term);  // as they grow
  back.of.resize(static_cast<std::size_t>(size));
  back.outside.resize(static_cast<std::size_t>(size));
  for (std::size_t o = 0; o < sums.of.size(); ++o)
    for (const AxisSums::Term& t : sums.of[o])
      back.of[static_cast<std::size_t>(t.at)].push_back({static_cast<std::int64_t>(o), t.weight});
  return back;
}

Prepared<AxisSums> prepared(const Type& x, const Type& y, AxisSums sums) {
  double terms = 0;
  for (const auto& of : sums.of) terms += static_cast<double>(of.size());
  Work work = ops::moving(std::max(x.bytes(), y.bytes()));
  work.flops = 2 * terms * static_cast<double>(y.count()) / std::max(1.0, static_cast<double>(sums.of.size()));
  return {work, std::make_shared<const AxisSums>(std::move(sums))};
}

// y[o] = the sum of weight x[at] over the terms of o, `inner` elements each.
template <class T>
void add_up(const std::vector<AxisSums::Term>& terms, const T* x, std::int64_t inner, T* __restrict y) {
  if (terms.empty()) return void(std::fill_n(y, inner, T(0)));
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const T* __restrict from = x + terms[t].at * inner;
    const auto weight = static_cast<T>(terms[t].weight);
    if (t == 0)
      for (std::int64_t i = 0; i < inner; ++i) y[i] = weight * from[i];
    else
      for (std::int64_t i = 0; i < inner; ++i) y[i] += weight * from[i];
  }
}

template <class F>
void each_row(const Run& r, int axis, F&& f) {
  const AroundAxis x(r.in_type(0).shape, axis), y(r.out_type().shape, axis);
  if (y.inner == 0) return;
  const auto [begin, end] = r.share(y.outer * y.size);
  for (std::int64_t row = begin; row < end; ++row) f(row, row / y.size * x.size, row % y.size, y.inner);
}

}  // namespace

Type ResizeAxis::infer(Types in) const {
  if (mode != "nearest") check_dtype(dtypes::Floats{}, in[0], "x");
  const int a = in[0].shape.axis_of(axis);
  check(*this, in[0].shape[a]);
  return {in[0].dtype, in[0].shape.with(a, resized_size(*this, in[0].shape[a]))};
}

Prepared<AxisSums> ResizeAxis::prepare(Types in) const {
  return prepared(in[0], infer(in), resized_sums(*this, in[0].shape[in[0].shape.axis_of(axis)]));
}

void ResizeAxis::run(const Run& r, const AxisSums& sums) const {
  const DType dtype = r.in_type(0).dtype;
  const int a = r.in_type(0).shape.axis_of(axis);
  const auto terms = [&](std::int64_t o) -> const auto& { return sums.of[static_cast<std::size_t>(o)]; };
  const auto outside_of = [&](std::int64_t o) { return sums.outside[static_cast<std::size_t>(o)]; };
  if (mode != "nearest")
    return dispatch<dtypes::Floats>(dtype, [&]<class T>(std::type_identity<T>) {
      each_row(r, a, [&](std::int64_t row, std::int64_t first, std::int64_t o, std::int64_t inner) {
        T* y = r.out<T>() + row * inner;
        if (outside_of(o))
          std::fill_n(y, inner, static_cast<T>(outside));
        else
          add_up(terms(o), r.in<T>(0) + first * inner, inner, y);
      });
    });
  dispatch<dtypes::Computed>(dtype, [&]<class T>(std::type_identity<T>) {
    each_row(r, a, [&](std::int64_t row, std::int64_t first, std::int64_t o, std::int64_t inner) {
      T* y = r.out<T>() + row * inner;
      if (outside_of(o))
        std::fill_n(y, inner, static_cast<T>(outside));
      else
        std::copy_n(r.in<T>(0) + (first + terms(o)[0].at) * inner, inner, y);
    });
  });
}

std::vector<Value> ResizeAxis::transposed(Values in, std::span<const int> axes) const {
  ResizeAxis moved = *this;
  moved.axis = moved_axis(axis, axes);
  return {apply(moved, in, Location{})};
}

Grads ResizeAxis::gradient(const Node& n, Values dy) const {
  return {apply(ResizeAxisGradient{*this}, {dy[0], n.input(0)}, Location{})};
}

Type ResizeAxisGradient::infer(Types in) const {
  check_dtype(dtypes::Floats{}, in[0], "dy");
  const int a = in[1].shape.axis_of(axis);
  check(*this, in[1].shape[a]);
  const Shape wanted = in[1].shape.with(a, resized_size(*this, in[1].shape[a]));
  if (in[0].shape != wanted)
    throw OpError("dy has the shape " + to_string(in[0].shape) + " where " + to_string(wanted) + " fits");
  return {in[0].dtype, in[1].shape};
}

Prepared<AxisSums> ResizeAxisGradient::prepare(Types in) const {
  const std::int64_t elements = in[1].shape[in[1].shape.axis_of(axis)];
  return prepared(in[0], infer(in), turned_round(resized_sums(*this, elements), elements));
}

void ResizeAxisGradient::run(const Run& r, const AxisSums& sums) const {
  const int a = r.out_type().shape.axis_of(axis);
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    each_row(r, a, [&](std::int64_t row, std::int64_t first, std::int64_t o, std::int64_t inner) {
      add_up(sums.of[static_cast<std::size_t>(o)], r.in<T>(0) + first * inner, inner, r.out<T>() + row * inner);
    });
  });
}

std::vector<Value> ResizeAxisGradient::transposed(Values in, std::span<const int> axes) const {
  ResizeAxisGradient moved = *this;
  moved.axis = moved_axis(axis, axes);
  return {apply(moved, in, Location{})};
}

// Linear in dy. What lies outside of x is a constant.
Grads ResizeAxisGradient::gradient(const Node&, Values d) const {
  ResizeAxis forward{*this};
  forward.outside = 0;
  return {apply(forward, {d[0]}, Location{}), Value()};
}

}  // namespace oxbow::ops
