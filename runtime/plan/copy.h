// The planner's own op: a value's bytes once more. Where a fetched or assigned value is a leaf, part of another value
// or fetched twice, this gives it bytes of its own.
#pragma once

#include <oxbow/graph/op.h>

namespace oxbow {

struct Copy {
  static constexpr OpInfo info{.name = "copy", .inputs = {"x"}, .any_layout = true};
  static constexpr std::int64_t bytes_per_part = 1 << 18;

  Type infer(Types in) const { return in[0]; }
  Work work(Types in) const {
    const std::int64_t bytes = in[0].bytes();
    return {.parts = (bytes + bytes_per_part - 1) / bytes_per_part, .bytes = 2.0 * static_cast<double>(bytes)};
  }
  void run(const Run& r) const {
    const std::int64_t begin = r.part * bytes_per_part, end = std::min(begin + bytes_per_part, r.out_type().bytes());
    std::memcpy(r.outputs[0].bytes + begin, r.inputs[0].bytes + begin, static_cast<std::size_t>(end - begin));
  }
  bool operator==(const Copy&) const = default;
};

}  // namespace oxbow
