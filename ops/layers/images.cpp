#include <oxbow/ops/layers.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shared/layer_state.h>

#include <numeric>

namespace oxbow {
namespace ops {
namespace {

class ConvState : public LayerState {
 public:
  ConvState(std::int64_t filters, ConvOptions options)
      : LayerState("Conv2D", "conv", options.name, options.trainable),
        filters_(filters),
        options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input("conv", x, 4, "[images, height, width, channels]", at);
    check_layer_size("conv", "filters", filters_, x, at);
    check_layer_size("conv", "rows and columns of its window", options_.size, x, at);
    LayerCall here(*this, x, {"kernel"}, at);
    const Type kernel{x.dtype(), {options_.size, options_.size, x.shape()[-1], filters_}};
    const Value y = as_called("conv", [&] {
      const Value w = here.parameter("kernel", kernel, options_.kernel_init);
      const Value products = conv2d(x, w, {.stride = options_.stride, .padding = options_.padding}, at);
      if (!options_.use_bias) return products;
      return add(products, here.parameter("bias", {x.dtype(), {filters_}}, options_.bias_init), at);
    });
    return options_.activation(y, at);
  }

 private:
  std::int64_t filters_;
  ConvOptions options_;
};

class GlobalPoolState : public LayerState {
 public:
  explicit GlobalPoolState(GlobalPool::Kind how) : LayerState("GlobalPool", "global_pool"), how_(how) {}

  Value call(Value x, At at) override {
    check_layer_input("global_pool", x, 3, "[images, height, width, channels]", at);
    std::vector<std::int64_t> axes(static_cast<std::size_t>(x.rank()) - 2);
    std::iota(axes.begin(), axes.end(), 1);
    return as_called("global_pool", [&] {
      return how_ == GlobalPool::average ? mean(x, std::move(axes), false, at) : max(x, std::move(axes), false, at);
    });
  }

 private:
  GlobalPool::Kind how_;
};

}  // namespace
}  // namespace ops

Conv2D::Conv2D(std::int64_t filters, ConvOptions options)
    : Layer(ops::new_layer<ops::ConvState>(nullptr, filters, std::move(options))) {}
Conv2D::Conv2D(Graph& g, std::int64_t filters, ConvOptions options)
    : Layer(ops::new_layer<ops::ConvState>(&g, filters, std::move(options))) {}

GlobalPool::GlobalPool(Kind kind) : Layer(ops::new_layer<ops::GlobalPoolState>(nullptr, kind)) {}

Value conv(Value x, std::int64_t filters, ConvOptions options, At at) {
  return Conv2D(filters, std::move(options))(x, at);
}

}  // namespace oxbow
