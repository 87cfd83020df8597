// Labels as rows of zeros with a single one. Regular value type, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// y[i..., c] = 1 where c = labels[i...], else 0. A label out of range is an error of the run.
struct OneHot {
  static constexpr OpInfo info{.name = "one_hot", .inputs = {"labels"}, .can_fail = true};
  std::int64_t classes = 0;
  DType dtype = f32;
  static void attributes(auto&& visit) {
    visit("classes", &OneHot::classes);
    visit("dtype", &OneHot::dtype);
  }
  bool operator==(const OneHot&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"labels are integers"}; }
};

}  // namespace oxbow::ops
