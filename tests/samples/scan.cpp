// Samples of sums and products of all elements so far: one line after the other.
#include <oxbow/ops/reduction/scan.h>

#include "samples/families.h"
#include "samples/rearranged.h"

namespace oxbow::test {

using namespace ops;

namespace {

// s = step(s, places...) along each line of the axis.
template <class O>
std::vector<Tensor> scanned(const O& op, const std::vector<Tensor>& in, double start,
                            double (*step)(double, const std::vector<double>&)) {
  const Shape& shape = in[0].shape();
  const int a = shape.axis_of(op.axis);
  Tensor y(in[0].type());
  for (std::int64_t line = 0; line < shape.without(a).count() && shape[a] > 0; ++line) {
    Index at = index_of(shape.without(a), line);
    at.insert(at.begin() + a, 0);
    double s = start;
    for (std::int64_t k = 0; k < shape[a]; ++k) {
      at[static_cast<std::size_t>(a)] = op.reverse ? shape[a] - 1 - k : k;
      const std::int64_t place = flat_of(shape, at);
      std::vector<double> x;
      for (const Tensor& t : in) x.push_back(number(t, place));
      const double next = step(s, x);
      dispatch(y.dtype(),
               [&]<class T>(std::type_identity<T>) { y.data<T>()[place] = static_cast<T>(op.exclusive ? s : next); });
      s = next;
    }
  }
  return {y};
}

template <class O>
std::vector<Sample> scan_samples(double start, double (*step)(double, const std::vector<double>&)) {
  std::vector<Sample> samples;
  const auto add = [&](std::vector<Tensor> in, std::int64_t axis, bool exclusive, bool reverse) {
    O op;
    op.axis = axis;
    op.exclusive = exclusive;
    op.reverse = reverse;
    samples.push_back({to_string(in[0].type()) + " along " + std::to_string(axis) + (exclusive ? ", exclusive" : "") +
                           (reverse ? ", reverse" : ""),
                       op, std::move(in),
                       [op, start, step](const std::vector<Tensor>& x) { return scanned(op, x, start, step); }});
  };
  const auto drawn = [](const Shape& shape, DType dtype = f64) {
    std::vector<Tensor> in;
    for (int i = 0; i < O::info.inputs.size(); ++i)
      in.push_back(is_float(dtype) ? draw(shape, -1.5, 1.5, static_cast<std::uint64_t>(61 + i))
                                   : draw(shape, 0, 4, static_cast<std::uint64_t>(61 + i), dtype));
    return in;
  };
  for (const bool exclusive : {false, true})
    for (const bool reverse : {false, true}) {
      add(drawn({7}), 0, exclusive, reverse);
      add(drawn({2, 3, 4}), 1, exclusive, reverse);
    }
  add(drawn({3, 5}), -1, false, false);
  add(drawn({4, 70}), 0, false, false);
  add(drawn({1, 3}), 0, true, false);
  add(drawn({0, 3}), 0, false, false);
  add(drawn({3, 0}), 0, true, true);
  add(drawn({2, 4}, i32), 1, false, false);
  add(drawn({2, 4}, i64), 0, true, false);
  add(drawn({3, 3}, u8), 1, false, true);
  std::vector<Tensor> zeros = drawn({2, 5});
  for (const std::int64_t place : {1, 3, 7}) zeros[0].data<double>()[place] = 0;
  add(zeros, 1, false, false);
  add(zeros, 1, true, true);
  return samples;
}

}  // namespace

void add_scan(Samples& s) {
  s.add<CumSum>(scan_samples<CumSum>(0, [](double y, const std::vector<double>& x) { return y + x[0]; }));
  s.add<CumProd>(scan_samples<CumProd>(1, [](double y, const std::vector<double>& x) { return y * x[0]; }));
  s.add<LinearScan>(
      scan_samples<LinearScan>(0, [](double y, const std::vector<double>& x) { return x[0] * y + x[1]; }));
}

}  // namespace oxbow::test
