#include <oxbow/ops/control.h>
#include <oxbow/ops/control/stop_gradient.h>

#include <cstring>

namespace oxbow::ops {

Work StopGradient::work(Types in) const { return {.bytes = 2 * static_cast<double>(in[0].bytes())}; }

void StopGradient::run(const Run& r) const {
  const auto bytes = static_cast<std::size_t>(r.in_type(0).bytes());
  if (bytes > 0 && r.inputs[0].bytes != r.outputs[0].bytes) std::memcpy(r.outputs[0].bytes, r.inputs[0].bytes, bytes);
}

std::vector<Sample> StopGradient::samples() {
  const auto same = [](const std::vector<Tensor>& in) { return std::vector{in[0]}; };
  return {{"integers", StopGradient{}, {draw({5}, -9, 9, 1, i32)}, same},
          {"none", StopGradient{}, {draw({0, 3}, -9, 9, 1, i64)}, same}};
}

}  // namespace oxbow::ops

namespace oxbow {

Value stop_gradient(Value x, At at) { return apply(ops::StopGradient{}, {x}, at); }

}  // namespace oxbow
