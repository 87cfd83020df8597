#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/numbers.h>

namespace oxbow::ops {

Numbers numbers(const Tensor& t, const char* what, int rank) {
  if ((t.dtype() != i32 && t.dtype() != i64) || t.shape().rank() > rank)
    throw OpError(
        std::string(what) + " is " + to_string(t.type()) + ", not " +
            (rank == 0 ? "a whole number" : "a list of whole numbers"),
        "Give i32 or i64 with " + (rank == 0 ? std::string("no axis") : "at most " + std::to_string(rank) + " axes"));
  if (t.dtype() == i32) return {t.span<std::int32_t>().begin(), t.span<std::int32_t>().end()};
  return {t.span<std::int64_t>().begin(), t.span<std::int64_t>().end()};
}

Value size_of_axis(Value x, std::int64_t axis, At at) {
  return reshape(slice(shape_of(x, at), 0, axis, axis == -1 ? to_end : axis + 1, at), std::vector<std::int64_t>(), at);
}

void check_built(const char* builder, Value x, At at) {
  if (!x) throw BuildError(builder, "x is an empty Value" + at_line(at) + "\n  Build it first");
}

int axis_of(const char* builder, Value x, std::int64_t axis, At at) {
  check_built(builder, x, at);
  try {
    return x.shape().axis_of(axis);
  } catch (const OpError& e) {
    throw BuildError(builder, e.problem() + at_line(at) + "\n  " + e.remedy());
  }
}

}  // namespace oxbow::ops
