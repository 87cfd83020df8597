// Dropout (Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html). The mask is drawn from a
// counter-based generator and never stored: backward draws the same again. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// y[i] = x[i] / (1 - rate) with probability 1 - rate, else 0. Whether i is kept is a function of the state's seed and
/// step, the stream and i alone. Outside training y = x.
struct Dropout {
  static constexpr OpInfo info{.name = "dropout", .inputs = {"x", "state"}, .may_overwrite = {0}};
  double rate = 0.5;
  std::int64_t stream = 0;
  static void attributes(auto&& visit) {
    visit("rate", &Dropout::rate);
    visit("stream", &Dropout::stream);
  }
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Value simplify(Values in) const { return rate == 0 ? in[0] : Value(); }
  std::vector<Value> inference(Values in) const { return {in[0]}; }
  Grads gradient(const Node& n, Values dy) const;  // linear: the same mask on dy
  bool operator==(const Dropout&) const = default;
};

}  // namespace oxbow::ops
