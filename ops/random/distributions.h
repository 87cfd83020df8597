// Random numbers of a shape that is a known value (graph/known.h), such as that of another value: each becomes its form
// of a fixed shape when the graph is specialised. Outside training the mean stands for what is drawn, unless the op is
// told otherwise. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/random/numbers.h>

namespace oxbow::ops {

/// Uniform in [low, high).
struct RandomUniform {
  static constexpr OpInfo info{.name = "random_uniform", .inputs = {"state", "shape"}, .by_value = {1}};
  double low = 0, high = 1;
  DType dtype = f32;
  std::int64_t stream = 0;
  bool in_inference = false;
  static void attributes(auto&& visit) {
    visit("low", &RandomUniform::low);
    visit("high", &RandomUniform::high);
    visit("dtype", &RandomUniform::dtype);
    visit("stream", &RandomUniform::stream);
    visit("in_inference", &RandomUniform::in_inference);
  }
  bool operator==(const RandomUniform&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> inference(Values in) const;
  Grads gradient(const Node&, Values) const {
    return NotDifferentiable{"low and high are numbers: of values, write low + (high - low) * random_uniform(...)"};
  }
};

/// mean + deviation times a normal number.
struct RandomNormal {
  static constexpr OpInfo info{.name = "random_normal", .inputs = {"state", "shape"}, .by_value = {1}};
  double mean = 0, deviation = 1;
  DType dtype = f32;
  std::int64_t stream = 0;
  bool in_inference = false;
  static void attributes(auto&& visit) {
    visit("mean", &RandomNormal::mean);
    visit("deviation", &RandomNormal::deviation);
    visit("dtype", &RandomNormal::dtype);
    visit("stream", &RandomNormal::stream);
    visit("in_inference", &RandomNormal::in_inference);
  }
  bool operator==(const RandomNormal&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> inference(Values in) const;
  Grads gradient(const Node&, Values) const {
    return NotDifferentiable{"mean and deviation are numbers: of values, write mean + deviation * random_normal(...)"};
  }
};

/// The same without what is more than two deviations from the mean.
struct RandomTruncatedNormal {
  static constexpr OpInfo info{.name = "random_truncated_normal", .inputs = {"state", "shape"}, .by_value = {1}};
  double mean = 0, deviation = 1;
  DType dtype = f32;
  std::int64_t stream = 0;
  bool in_inference = false;
  static void attributes(auto&& visit) {
    visit("mean", &RandomTruncatedNormal::mean);
    visit("deviation", &RandomTruncatedNormal::deviation);
    visit("dtype", &RandomTruncatedNormal::dtype);
    visit("stream", &RandomTruncatedNormal::stream);
    visit("in_inference", &RandomTruncatedNormal::in_inference);
  }
  bool operator==(const RandomTruncatedNormal&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> inference(Values in) const;
  Grads gradient(const Node&, Values) const {
    return NotDifferentiable{
        "mean and deviation are numbers: of values, write mean + deviation * random_truncated_normal(...)"};
  }
};

/// 1 with probability p, else 0: where a uniform number of [0, 1) is less than p, which broadcasts to the shape.
struct RandomBernoulli {
  static constexpr OpInfo info{.name = "random_bernoulli", .inputs = {"p", "shape", "state"}, .by_value = {1}};
  DType dtype = f32;
  std::int64_t stream = 0;
  bool in_inference = false;
  static void attributes(auto&& visit) {
    visit("dtype", &RandomBernoulli::dtype);
    visit("stream", &RandomBernoulli::stream);
    visit("in_inference", &RandomBernoulli::in_inference);
  }
  bool operator==(const RandomBernoulli&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> inference(Values in) const;
  Grads gradient(const Node&, Values) const {
    return NotDifferentiable{"what is drawn is 0 or 1, which has no slope in p"};
  }
};

}  // namespace oxbow::ops
