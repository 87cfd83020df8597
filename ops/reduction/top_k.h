// The largest or smallest elements along the last axis. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

/// The `k` largest elements of each row [..., n], the largest first, or the smallest, the smallest first, and their
/// places in the row, i64: [..., k]. Of equal elements the first one comes first; NaN counts as larger than any number.
struct TopK {
  static constexpr OpInfo info{.name = "top_k", .inputs = {"x"}, .outputs = {"values?", "indices?"}};
  std::int64_t k = 1;
  bool largest = true;
  static void attributes(auto&& visit) {
    visit("k", &TopK::k);
    visit("largest", &TopK::largest);
  }
  bool operator==(const TopK&) const = default;
  std::vector<Type> infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// The same for a `k` that is known while the graph is built: see ops/shape/by_value.h.
struct TopKOf {
  static constexpr OpInfo info{
      .name = "top_k_of", .inputs = {"x", "k"}, .outputs = {"values?", "indices?"}, .by_value = {1}};
  bool largest = true;
  static void attributes(auto&& visit) { visit("largest", &TopKOf::largest); }
  bool operator==(const TopKOf&) const = default;
  std::vector<Type> infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> simplify(Values in) const { return lower(in); }
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
