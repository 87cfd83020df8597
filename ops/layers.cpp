#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/layers.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/norm.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>

#include <numeric>

namespace oxbow {
namespace {

// The name of a layer's scope: the one asked for, or the kind with the first number that is free. `member` is a
// variable that every layer of the kind has.
std::string layer_name(const Graph& g, const std::string& asked, const std::string& kind, const std::string& member,
                       At at) {
  const std::string prefix = g.origin().scope.empty() ? "" : g.origin().scope.str() + "/";
  if (!asked.empty()) {
    const std::string full = prefix + asked + "/" + member;
    if (const auto first = g.find(full))
      throw Error(kind + ": the name " + internal::in_quotes(full) + " is taken" +
                  (first->origin().at.known() ? " at " + to_string(first->origin().at) : "") + at_line(at) +
                  "\n  Give this layer another name, or leave .name out: it is numbered then. Two layers with the same "
                  "weights are two products with one parameter()");
    return asked;
  }
  std::string name = kind;
  for (int k = 1; g.find(prefix + name + "/" + member); ++k) name = kind + "_" + std::to_string(k);
  return name;
}

[[noreturn]] void refuse(const std::string& layer, const std::string& problem, Value x, At at,
                         const std::string& remedy) {
  throw BuildError(layer, problem + (x ? "\n  x: " + to_string(x.type()) + " from " + to_string(x.node()) : "") +
                              at_line(at) + "\n  " + remedy);
}

void check(const std::string& layer, Value x, int least_rank, const std::string& shape, At at) {
  if (!x) refuse(layer, "x is an empty Value", x, at, "Build it first");
  if (x.rank() < least_rank)
    refuse(layer, "x has " + std::to_string(x.rank()) + " axes, fewer than " + std::to_string(least_rank), x, at,
           "Reshape it to " + shape);
  if (!is_float(x.dtype())) refuse(layer, "x is not floating point", x, at, "Cast it to f32 first");
}

void check_units(const std::string& layer, const std::string& what, std::int64_t units, Value x, At at) {
  if (units < 1) refuse(layer, "it cannot have " + std::to_string(units) + " " + what, x, at, "Give at least 1");
}

}  // namespace

Value dense(Value x, std::int64_t units, DenseOptions options, At at) {
  check("dense", x, 1, "[samples, features]", at);
  check_units("dense", "units", units, x, at);
  Graph& g = x.graph();
  const Scope scope(g, layer_name(g, options.name, "dense", "kernel", at));
  const Value y = as_called("dense", [&] {
    const Value w = parameter(g, "kernel", {x.dtype(), {x.shape()[-1], units}}, options.kernel_init, at);
    const Value products = matmul(x, w, {}, at);
    if (!options.use_bias) return products;
    return add(products, parameter(g, "bias", {x.dtype(), {units}}, options.bias_init, at), at);
  });
  return options.activation ? options.activation(y, at) : y;
}

Value conv(Value x, std::int64_t filters, ConvOptions options, At at) {
  check("conv", x, 4, "[images, height, width, channels]", at);
  check_units("conv", "filters", filters, x, at);
  check_units("conv", "rows and columns of its window", options.size, x, at);
  Graph& g = x.graph();
  const Scope scope(g, layer_name(g, options.name, "conv", "kernel", at));
  const Type kernel{x.dtype(), {options.size, options.size, x.shape()[-1], filters}};
  const Value y = as_called("conv", [&] {
    const Value w = parameter(g, "kernel", kernel, options.kernel_init, at);
    const Value products = conv2d(x, w, {.stride = options.stride, .padding = options.padding}, at);
    if (!options.use_bias) return products;
    return add(products, parameter(g, "bias", {x.dtype(), {filters}}, options.bias_init, at), at);
  });
  return options.activation ? options.activation(y, at) : y;
}

Value batch_norm(Value x, BatchNormOptions options, At at) {
  check("batch_norm", x, 2, "[samples, features]", at);
  if (!(options.momentum >= 0 && options.momentum <= 1))
    refuse("batch_norm", "the momentum " + internal::short_number(options.momentum) + " is not in [0, 1]", x, at,
           "Give what the running statistics keep each step, such as 0.9");
  if (!(options.epsilon > 0))
    refuse("batch_norm", "epsilon " + internal::short_number(options.epsilon) + " is not positive", x, at,
           "Give 1e-5 or so");
  Graph& g = x.graph();
  const Scope scope(g, layer_name(g, options.name, "batch_norm", "scale", at));
  const Type each{x.dtype(), {x.shape()[-1]}};
  const Value scale = parameter(g, "scale", each, init::ones(), at),
              offset = parameter(g, "offset", each, init::zeros(), at);
  const Value running_mean = variable(g, "running_mean", each, {}, /*trainable=*/false, at);
  const Value running_variance =
      variable(g, "running_variance", each, {.kind = Init::Kind::constant, .a = 1}, /*trainable=*/false, at);
  const auto [mean, variance] = batch_moments(x, running_mean, running_variance, at);
  {
    const OriginGuard update(g, {.at = at, .phase = Phase::update, .scope = g.origin().scope});
    const double kept = options.momentum;
    std::vector<std::int64_t> axes(static_cast<std::size_t>(x.rank()) - 1);
    std::iota(axes.begin(), axes.end(), 0);
    const Value count = count_like(x, axes, at), some = greater(count, 0, at);  // an empty batch moves nothing
    const auto moves = [&](Value running, Value batch) {
      g.add_update(
          assign(running, in_order(g, [&] { return where(some, running * kept + batch * (1 - kept), running); })));
    };
    moves(running_mean, mean);
    moves(running_variance, variance);
  }
  const OriginGuard here(g, {.at = at, .phase = g.origin().phase, .scope = g.origin().scope});
  return in_order(g, [&] { return (x - mean) * (scale * rsqrt(variance + options.epsilon)) + offset; });
}

}  // namespace oxbow
