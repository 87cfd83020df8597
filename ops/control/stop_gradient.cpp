#include <oxbow/ops/control.h>
#include <oxbow/ops/control/stop_gradient.h>
#include <oxbow/ops/shape/moving.h>

namespace oxbow::ops {

Work StopGradient::work(Types in) const { return {.bytes = 2 * static_cast<double>(in[0].bytes())}; }

void StopGradient::run(const Run& r) const { copy_bytes(r.outputs[0].bytes, r.inputs[0].bytes, r.in_type(0).bytes()); }

}  // namespace oxbow::ops

namespace oxbow {

Value stop_gradient(Value x, At at) { return apply(ops::StopGradient{}, {x}, at); }

}  // namespace oxbow
