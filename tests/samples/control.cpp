// Samples of control flow and of what stops a run.
#include <oxbow/ops/control/guarded.h>
#include <oxbow/ops/control/require_finite.h>
#include <oxbow/ops/control/require_within.h>
#include <oxbow/ops/control/stop_gradient.h>
#include <oxbow/ops/shape/transpose.h>

#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

std::vector<Sample> guarded_samples() {
  const Op swap = Transpose{};
  return {{"a transposition that runs",
           Guarded{{swap}, false},
           {Tensor::scalar(false), draw({2, 3}, -1, 1, 1)},
           [](const std::vector<Tensor>& in) {
             Tensor y({in[1].dtype(), {3, 2}});
             for (int i = 0; i < 6; ++i) y.data<double>()[i] = in[1].data<double>()[i % 2 * 3 + i / 2];
             return std::vector<Tensor>{y};
           }}};
}

std::vector<Sample> merge_samples() {
  std::vector<Sample> samples;
  for (const bool taken : {true, false})
    samples.push_back({taken ? "then" : "otherwise",
                       Merge{},
                       {Tensor::scalar(taken), draw({3, 2}, -1, 1, 1), draw({3, 2}, -1, 1, 2)},
                       [taken](const std::vector<Tensor>& in) { return std::vector<Tensor>{in[taken ? 1 : 2]}; }});
  return samples;
}

std::vector<Sample> stop_gradient_samples() {
  const auto same = [](const std::vector<Tensor>& in) { return std::vector{in[0]}; };
  return {{"integers", StopGradient{}, {draw({5}, -9, 9, 1, i32)}, same},
          {"none", StopGradient{}, {draw({0, 3}, -9, 9, 1, i64)}, same}};
}

std::vector<Sample> require_finite_samples() {
  const auto of = [](double x) {
    return Sample{"a finite number",
                  RequireFinite{.what = "x", .remedy = "Look at x"},
                  {Tensor::scalar(x)},
                  [](const std::vector<Tensor>& in) { return std::vector{in[0]}; }};
  };
  return {of(0.75), of(-2)};
}

std::vector<Sample> require_within_samples() {
  const auto same = [](const std::vector<Tensor>& in) { return std::vector{in[0]}; };
  const auto whole = [](std::int64_t n) { return Tensor::scalar(n); };
  return {
      {"all within", RequireWithin{"label"}, {Tensor::of<std::int64_t>({2, 3}, {0, 4, 2, 1, 3, 0}), whole(5)}, same},
      {"none", RequireWithin{"label"}, {Tensor({i64, {0, 3}}), whole(0)}, same}};
}

}  // namespace

void add_control(Samples& s) {
  s.add<RequireFinite>(require_finite_samples());
  s.add<RequireWithin>(require_within_samples());
  s.add<StopGradient>(stop_gradient_samples());
  s.add<Guarded>(guarded_samples());
  s.add<Merge>(merge_samples());
}

}  // namespace oxbow::test
