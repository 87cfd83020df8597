#include <oxbow/ops/control.h>
#include <oxbow/ops/control/stop_gradient.h>

#include <cstring>

namespace oxbow::ops {

Work StopGradient::work(Types in) const { return {.bytes = 2 * static_cast<double>(in[0].bytes())}; }

void StopGradient::run(const Run& r) const {
  const auto bytes = static_cast<std::size_t>(r.in_type(0).bytes());
  if (bytes > 0 && r.inputs[0].bytes != r.outputs[0].bytes) std::memcpy(r.outputs[0].bytes, r.inputs[0].bytes, bytes);
}

}  // namespace oxbow::ops

namespace oxbow {

Value stop_gradient(Value x, At at) { return apply(ops::StopGradient{}, {x}, at); }

}  // namespace oxbow
