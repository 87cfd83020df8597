// The calls that bytes choose from: products, images, short forms of layers, losses, gradients, branches and loops, and
// any op of the catalogue.
#include <oxbow/graph/catalog.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/ops.h>

#include "hostile_calls.h"

namespace oxbow::test {
namespace {

Reduction reduction(Calls& c) { return static_cast<Reduction>(c.below(3)); }

Padding padding(Calls& c) {
  switch (c.below(4)) {
    case 0:
      return Padding::valid;
    case 1:
      return Padding::same;
    case 2:
      return c.few();
    default: {
      const std::int64_t top = c.number(), bottom = c.number(), left = c.number(), right = c.number();
      return {top, bottom, left, right};
    }
  }
}

PerAxis per_axis(Calls& c) {
  const std::int64_t first = c.few();
  if (c.flag()) return first;
  return {first, c.few()};
}

Activation activation(Calls& c) {
  if (c.flag()) return {};
  return some_unary(c);
}

void products(std::vector<Call>& all) {
  const Call product = [](Calls& c) {
    const Value a = c.operand(), b = c.operand();
    const int transposed = c.byte();
    c.keep(matmul(a, b, {.transpose_a = (transposed & 1) != 0, .transpose_b = (transposed & 2) != 0}));
  };
  const Call dense_ = [](Calls& c) {
    const Value x = c.operand();
    DenseOptions options;
    options.activation = activation(c);
    options.use_bias = c.flag();
    if (c.flag()) options.name = c.name();
    c.keep(dense(x, c.number(), std::move(options)));
  };
  all.insert(all.end(), {product, product, dense_, dense_});
  all.push_back([](Calls& c) {
    const Value x = c.operand(), weights = c.operand();
    const std::int64_t stride = c.number();
    Conv2dOptions options{.stride = stride, .padding = padding(c)};
    if (c.flag()) options.dilation = per_axis(c);
    if (c.flag()) options.stride = per_axis(c);
    options.data_format = c.flag() ? channels_first : channels_last;
    c.keep(c.flag() ? conv2d(x, weights, options)
                    : conv2d_transpose(x, weights,
                                       {.stride = options.stride,
                                        .padding = options.padding,
                                        .dilation = options.dilation,
                                        .data_format = options.data_format}));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    const std::int64_t size = c.number(), stride = c.number();
    c.keep(max_pool(x, {.size = size, .stride = stride}));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    AveragePoolOptions o{.size = per_axis(c)};
    o.stride = per_axis(c);
    o.padding = padding(c);
    o.dilation = c.flag() ? per_axis(c) : PerAxis(1);
    o.ceil_mode = c.flag();
    o.count_include_pad = c.flag();
    o.data_format = c.flag() ? channels_first : channels_last;
    c.keep(c.flag() ? average_pool(x, o)
                    : max_pool(x, {o.size, o.stride, o.padding, o.dilation, o.ceil_mode, o.data_format}));
  });
  all.push_back([](Calls& c) {
    ResizeOptions o{.axes = c.axes()};
    if (c.flag())
      o.sizes = c.numbers();
    else
      for (std::size_t i = 0; i < o.axes.size(); ++i) o.scales.push_back(c.real());
    o.mode = static_cast<Interpolation>(c.below(3));
    o.coordinates = static_cast<Coordinates>(c.below(7));
    o.nearest_mode = static_cast<NearestMode>(c.below(4));
    o.antialias = c.flag();
    o.exclude_outside = c.flag();
    c.keep(resize(c.operand(), o));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), grid = c.operand();
    GridSampleOptions o{.mode = static_cast<Interpolation>(c.below(3))};
    o.padding = static_cast<GridPadding>(c.below(3));
    c.keep(grid_sample(x, grid, o));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), scale = c.operand();
    const std::int64_t n = c.few();
    switch (c.below(5)) {
      case 0:
        return c.keep(group_norm(x, n, scale));
      case 1:
        return c.keep(instance_norm(x, scale, {}, {.data_format = channels_first}));
      case 2:
        return c.keep(layer_norm(x, scale, {}, {.axis = n}));
      case 3:
        return c.keep(local_response_norm(x, n));
      default:
        return c.keep(lp_normalize(x, 2, n));
    }
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    ConvOptions options;
    options.size = c.few();
    options.stride = c.number();
    options.padding = padding(c);
    options.activation = activation(c);
    options.use_bias = c.flag();
    c.keep(conv(x, c.number(), std::move(options)));
  });
}

void training(std::vector<Call>& all) {
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    const double momentum = c.real();
    c.keep(batch_norm(x, {.momentum = momentum, .epsilon = c.real()}));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), mean = c.operand(), variance = c.operand();
    const Moments m = batch_moments(x, mean, variance);
    c.keep({m.mean, m.variance});
  });
  all.push_back([](Calls& c) {
    const Value a = c.operand(), b = c.operand();
    const Reduction how = reduction(c);
    const int loss = c.below(6);
    c.keep(loss == 0   ? cross_entropy(a, b, how)
           : loss == 1 ? binary_cross_entropy(a, b, how)
           : loss == 2 ? hinge_loss(a, b, how)
           : loss == 3 ? kl_divergence(a, b, how)
           : loss == 4 ? huber_loss(a, b, 0.5, how)
                       : mean_squared_error(a, b, how));
  });
  all.push_back([](Calls& c) {
    const Value a = c.operand(), b = c.operand();
    ClassOptions options{.reduction = reduction(c), .axis = c.few()};
    if (c.flag()) options.ignore_index = c.number();
    if (c.flag()) options.class_weights = c.operand();
    if (c.flag()) options.label_smoothing = c.real();
    c.keep(c.flag() ? cross_entropy(a, b, options) : nll_loss(a, b, options));
  });
  all.push_back([](Calls& c) {
    const Value a = c.operand(), b = c.operand();
    const std::int64_t axis = c.few();
    c.keep(cosine_similarity(a, b, axis, c.real()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    c.keep(dropout(x, c.real()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    const std::string what = c.name();
    c.keep(require_finite(x, what, c.name()));
  });
  all.push_back([](Calls& c) {
    const Value y = c.operand();
    const std::vector<Value> x = c.operands();
    c.keep(gradients(c.flag() ? y : sum(y), x));
  });
  all.push_back([](Calls& c) {
    const Value y = c.operand(), dy = c.operand();
    c.keep(gradients(y, dy, c.operands()));
  });
}

void controlled(std::vector<Call>& all) {
  all.push_back([](Calls& c) {
    Value predicate = c.operand();
    if (predicate && c.flag()) predicate = less(sum(predicate), c.real());
    CondOptions options;
    if (c.flag()) options.name = c.name();
    const auto branch = [&] {
      const Calls::Body body(c);
      return c.make_some();
    };
    c.keep(cond(predicate, branch, branch, std::move(options)));
  });
  all.push_back([](Calls& c) {
    const std::int64_t steps = c.steps();
    const Value carried = c.operand();
    c.keep(repeat(steps, carried, [&](Value v) {
      const Calls::Body body(c, steps);
      c.keep(v);
      return c.make_some();
    }));
  });
  all.push_back([](Calls& c) {
    const std::int64_t steps = c.steps();
    const std::vector<Value> carried = c.operands();
    RepeatOptions options;
    options.slices = c.operands();
    options.reverse = c.flag();
    const RepeatResult r = repeat(
        steps, carried,
        [&](const RepeatStep& s) {
          const Calls::Body body(c, steps);
          c.keep(s.carried), c.keep(s.slices);
          RepeatNext next;
          for (std::size_t i = 0; i < s.carried.size(); ++i)
            next.carried.push_back(c.flag() ? s.carried[i] : c.make_some());
          if (c.flag()) next.stacked.push_back(c.make_some());
          return next;
        },
        std::move(options));
    c.keep(r.carried), c.keep(r.stacked);
  });
  all.push_back([](Calls& c) {
    const Scope scope(c.graph(), c.name());
    c.make_some();
  });
}

// Any op of the catalogue, its attributes bent, on whatever there is.
void any_op(std::vector<Call>& all) {
  const Call bent = [](Calls& c) {
    static const std::vector<const Catalog::Entry*> entries = [] {
      std::vector<const Catalog::Entry*> some;
      for (const auto& [name, entry] : catalog().entries())
        if (name != "input" && name != "variable" && name != "assign" && name != "cond" && name != "repeat")
          some.push_back(&entry);
      return some;
    }();
    const Catalog::Entry& entry = *entries[static_cast<std::size_t>(c.byte()) % entries.size()];
    AttrRecord attributes = entry.op.attributes();
    for (auto& [key, value] : attributes)
      if (c.flag()) value = c.bent(value);
    const Op op = entry.make(attributes, catalog());
    std::vector<Value> inputs;
    const Names& names = entry.info->inputs;
    for (int i = names.fixed() + (names.variadic() ? c.below(4) : 0); i > 0; --i) inputs.push_back(c.operand());
    const Node made = c.graph().append(op, inputs, At::current());
    for (int i = 0; i < made.output_count(); ++i) c.keep(made.output(i));
  };
  all.insert(all.end(), {bent, bent, bent, bent});
}

}  // namespace

void add_calls_of_nets(std::vector<Call>& all) {
  products(all);
  training(all);
  controlled(all);
  any_op(all);
}

}  // namespace oxbow::test
