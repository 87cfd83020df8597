#include <oxbow/ops/control/require_within.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape/moving.h>

namespace oxbow::ops {

Type RequireWithin::infer(Types in) const {
  if (in[0].dtype != i64 || in[1] != Type{i64, {}})
    throw OpError("x is " + to_string(in[0]) + " and size " + to_string(in[1]), "Give i64, and an i64 scalar");
  return in[0];
}

Work RequireWithin::work(Types in) const { return moving(in[0].bytes()); }

void RequireWithin::run(const Run& r) const {
  const std::int64_t size = *r.in<std::int64_t>(1), *x = r.in<std::int64_t>(0);
  const auto [begin, end] = r.share(r.out_type().count());
  for (std::int64_t i = begin; i < end; ++i) {
    if (x[i] < 0 || x[i] >= size) out_of_range(what.c_str(), x[i], r.in_type(0), i, size);
    r.out<std::int64_t>()[i] = x[i];
  }
}

Value require_within(Value x, Value size, std::string what, At at) {
  return apply(RequireWithin{std::move(what)}, {cast(x, i64, at), cast(size, i64, at)}, at);
}

}  // namespace oxbow::ops
