#include <oxbow/graph/leaves.h>
#include <oxbow/ops/pointwise/cast.h>

#include <algorithm>

#include "random_builder.h"

namespace oxbow::test {

void RandomBuilder::grow() {
  if (chance(25)) return sampled();
  const int kind = pick(full_.rank() == 4 ? 158 : 132);
  Value v;
  if (kind < 14)
    v = unary(any_float());
  else if (kind < 52)
    v = elementwise(any_float(), false);
  else if (kind < 60)
    v = chosen();
  else if (kind < 72)
    v = reduced(any_float());
  else if (kind < 84)
    v = moved(any());
  else if (kind < 92)
    v = product(any_float());
  else if (kind < 97)
    v = row_op(any_float());
  else if (kind < 106)
    v = layered(any_float());
  else if (kind < 112)
    v = indexed(any_float());
  else if (kind < 122)
    v = by_value(any_float());
  else if (kind < 130)
    v = controlled(any_float());
  else
    v = image_op();
  if (v) values_.push_back(v);
}

Value RandomBuilder::unary(const Value& x) {
  switch (pick(10)) {
    case 9: {  // as activations are stored
      const Value fixed = stop_gradient(x), stored = cast(fixed, chance(50) ? bf16 : f16);
      return x + cast(stored, x.dtype()) + apply(ops::Restore{x.dtype()}, {stored, fixed}, At::current());
    }
    case 0:
      return x + require_finite(sum(cast(less(x, 0), x.dtype())), "the count of negative elements", "Look at x.");
    case 1:
      return pow(abs(x) + .5, one_of(std::vector<double>{2, 3, .5, -1, 1.7}));
    case 2:
      return stop_gradient(x);
    default:
      return elementwise(x, true);
  }
}

Value RandomBuilder::chosen() {
  const Value a = any_float(), b = mate(a);
  // One operand after the other: operands of one call are built in whatever order the compiler likes.
  Value condition;
  if (chance(40)) {
    condition = less(a, b);
  } else if (chance(50)) {
    const Value not_negative = greater_equal(a, 0), not_one = not_equal(b, 1);
    condition = logical_not(logical_and(not_negative, not_one));
  } else {
    const Value same = equal(a, b), small = less_equal(b, .5);
    condition = logical_or(same, small);
  }
  return chance(70) ? where(condition, a, b * 2) : cast(cast(condition, chance(50) ? i32 : u8), a.dtype());
}

Value RandomBuilder::reduced(const Value& x) {
  std::vector<std::int64_t> axes;
  if (chance(70))
    for (int axis = 0; axis < x.rank(); ++axis)
      if (chance(50)) axes.push_back(chance(50) ? axis : axis - x.rank());
  const bool wide = x.rank() > 1 && x.shape()[-1] > 4096;
  if (wide) axes = {0};
  const bool keep = chance(40);
  if (wide && chance(85) && x.type().count() > 0) {  // they are few
    const Value most = max(x, axes, keep), least = min(x, axes, keep);
    return (most - least) * prod(x, axes, keep);
  }
  switch (x.type().count() == 0 ? 0 : pick(7)) {
    case 6:
      return prod(x, axes, keep);
    case 0:
    case 1:
      return sum(x, axes, keep);
    case 5:
      return norm(x, axes, keep);
    case 2:
      return max(x, axes, keep);
    case 3:
      return min(x, axes, keep);
    default:
      return mean(x, axes, keep);
  }
}

Value RandomBuilder::moved(const Value& x) {
  if (x.rank() == 0) return broadcast_to(x, part_of_full());
  const int axis = pick(x.rank());
  switch (pick(9)) {
    case 7:  // two that overlap, whose slopes meet
      if (x.dtype() == boolean) return {};
      return slice(x, axis, 0, to_end, 2) + slice(x, axis, -1, to_end, -2);
    case 8:
      if (x.shape()[axis] == 0 || x.type().count() > 5000) return {};
      return pad(
          x, constant(*out_.graph, Tensor::of<std::int64_t>({1, 2}, {1, 2})),
          PadOptions{.mode = one_of(std::vector{PadMode::reflect, PadMode::edge, PadMode::wrap}), .axes = {axis}});
    case 0:
      return reshape(x, {-1});
    case 1: {
      std::vector<std::int64_t> order(static_cast<std::size_t>(x.rank()));
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
      std::rotate(order.begin(), order.begin() + pick(x.rank()), order.end());
      return transpose(x, order);
    }
    case 2: {
      const std::int64_t begin = pick(static_cast<int>(x.shape()[axis]) + 1);
      return slice(x, axis, begin, begin + pick(static_cast<int>(x.shape()[axis] - begin) + 1));
    }
    case 3:
      return x.type().count() < 5000 ? concat({x, x}, axis) : Value();
    case 4:
      return x.shape().rank() < 4 && x.type().count() < 2000 ? broadcast_to(x, x.shape().inserted(0, 3)) : Value();
    case 5:
      return x.shape()[0] > 0 ? x[-1] : Value();
    default:
      return picked_rows(x, axis);
  }
}

Value RandomBuilder::picked_rows(const Value& x, int axis) {
  if (x.shape()[axis] == 0) return {};
  Tensor rows({chance(50) ? i32 : i64, {3}});
  for (int i = 0; i < 3; ++i) {
    const int row = pick(static_cast<int>(x.shape()[axis]));
    rows.dtype() == i32 ? rows.data<std::int32_t>()[i] = row : rows.data<std::int64_t>()[i] = row;
  }
  return gather(x, constant(*out_.graph, rows), axis);
}

Value RandomBuilder::product(Value x) {
  if (x.rank() == 0 || x.type().count() > 40000) return {};
  if (x.rank() == 1) x = reshape(x, {1, -1});
  const std::int64_t width = one_of(std::vector<std::int64_t>{1, 3, 16, 17, 40});
  const bool swapped = chance(30);
  const Shape shape = swapped ? Shape{width, x.shape()[-1]} : Shape{x.shape()[-1], width};
  const Value w = new_variable({x.dtype(), shape});
  sources_.push_back(w);
  Value y = matmul(x, w, {.transpose_b = swapped});
  if (chance(60)) {
    const Value bias = new_variable({x.dtype(), {width}});
    sources_.push_back(bias);
    y = y + bias;
  }
  if (chance(60)) y = unary(y);
  return y;
}

Value RandomBuilder::row_op(const Value& x) {
  if (x.rank() == 0 || x.shape()[-1] == 0) return {};
  switch (pick(4)) {
    case 0:
      return softmax(x, pick(x.rank()));
    case 1:
      return log_softmax(x);
    case 2:
      return argmax(x, -1);
    default:
      return one_hot(argmax(x, -1), x.shape()[-1], x.dtype());
  }
}

Value RandomBuilder::layered(const Value& x) {
  if (x.rank() == 0 || x.type().count() == 0 || x.type().count() > 20000) return {};
  const Reduction reduction = one_of(std::vector{Reduction::none, Reduction::sum, Reduction::mean});
  const std::string_view made_by = x.node().op().name();
  const Value logits = made_by == "softmax" || made_by == "sigmoid" ? x * 2 : x;  // probabilities are refused
  switch (pick(6)) {
    case 0:
      if (chance(50)) return rms_norm(x, {}, {.epsilon = 0.5});
      return x.rank() < 2 ? Value() : batch_norm(x);
    case 1:
      return dropout(x, one_of(std::vector<double>{0, .25, .5}));
    case 2:
      return cross_entropy(logits, chance(50) ? argmax(x * x, -1) : cast(argmax(x, -1), i32), reduction);
    case 3:
      return cross_entropy(logits, softmax(x * x), reduction);
    case 4:
      return binary_cross_entropy(logits, sigmoid(x * x), reduction);
    default:
      return mean_squared_error(x, tanh(x), reduction);
  }
}

Value RandomBuilder::controlled(const Value& x) {
  if (x.type().count() == 0 || x.type().count() > 2000) return {};
  const Value other = mate(x), a = other.shape() == x.shape() ? other : x;
  const std::int64_t steps = pick(5);
  switch (pick(5)) {
    case 0:
      return cond(
          less(mean(a), chance(50) ? .1 : -9), [&] { return tanh(x * a) + relu(a); }, [&] { return x - a * a; });
    case 1:
      return repeat(steps, x, [&](Value y) { return unary(y * .5) + a; });
    case 2: {
      const Value rows = broadcast_to(x * .25, x.shape().inserted(0, steps));
      const RepeatOptions options{.slices = {rows}, .reverse = chance(50)};
      const RepeatResult r = repeat(
          steps, {a, x},
          [&](const RepeatStep& s) {
            const Value y = tanh(s.carried[0] * x + s.slices[0]);
            return RepeatNext{.carried = {y, s.carried[1] + y}, .stacked = {y * a, s.carried[1]}};
          },
          options);
      return chance(50) ? r.carried[1] : r.stacked[0];
    }
    case 3:
      return repeat(steps, x, [&](Value y) {
        return cond(
            less(sum(y), sum(a)), [&] { return y + a * .25; }, [&] { return abs(y); });
      });
    default:
      return x.rank() == 0 || x.rank() == 4
                 ? Value()
                 : repeat(steps, concat({x, x * 2}, 0), [&](Value y) { return sigmoid(y) - y; });
  }
}

Value RandomBuilder::by_value(const Value& x) {
  if (x.rank() == 0 || x.type().count() == 0 || x.type().count() > 3000) return {};
  Graph& g = *out_.graph;
  const Value shape = shape_of(x), last = reshape(slice(shape, 0, -1), {});
  // One after the other: operands of one call are built in whatever order the compiler likes.
  const auto numbers = [&](int value) {
    const Value one = constant(g, value, i64);
    return broadcast_to(one, shape_of(shape));
  };
  switch (pick(9)) {
    case 0:
      return reshape(x, concat({slice(shape, 0, 0, 1), reshape(constant(g, -1, i64), {1})}));
    case 1:
      return broadcast_to(sum(x, {0}, true), shape);
    case 2:
      return slice(x, numbers(chance(50) ? 0 : 1), shape);
    case 3:
      return tile(x, numbers(1 + pick(2)));
    case 4:
      return pad(x, concat({reshape(numbers(pick(2)), {-1, 1}), reshape(numbers(pick(2)), {-1, 1})}, 1), .5);
    case 5: {
      const Value zero = constant(g, 0, i64), one = constant(g, 1, i64);
      return x * cast(arange(zero, last, one), x.dtype());
    }
    case 6:
      return one_hot(argmax(x, -1), last, x.dtype());
    case 7:
      return top_k(x, 1 + pick(static_cast<int>(x.shape()[-1]))).values;
    default: {
      const int axis = pick(x.rank());
      return top_k(x, reshape(slice(shape, 0, axis, axis + 1), {}), axis).values;
    }
  }
}

Value RandomBuilder::indexed(const Value& x) {
  if (x.rank() == 0 || x.type().count() > 20000) return {};
  const int axis = pick(x.rank());
  const std::int64_t rows = x.shape()[axis], target = 1 + pick(5);
  Tensor to({chance(50) ? u8 : i64, {rows}});
  for (std::int64_t i = 0; i < rows; ++i) {
    const int row = pick(static_cast<int>(target));
    to.dtype() == u8 ? to.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(row) : to.data<std::int64_t>()[i] = row;
  }
  std::vector<std::int64_t> sizes = x.shape().vector();
  sizes[static_cast<std::size_t>(axis)] = target;
  const Value table = new_variable({x.dtype(), Shape(sizes)}), indices = constant(*out_.graph, to);
  sources_.push_back(table);
  return scatter_add(table, indices, x * gather(table, indices, axis), axis);
}

Value RandomBuilder::image_op() {
  Value x;
  for (int i = 0; i < 20 && !x; ++i)
    if (const Value v = any_float(); v.rank() == 4 && v.shape()[1] > 0 && v.shape()[2] > 0) x = v;
  if (!x || x.type().count() > 20000) return {};
  const std::int64_t smaller = std::min(x.shape()[1], x.shape()[2]), stride = 1 + pick(2);
  if (chance(40)) {
    const std::int64_t size = 1 + pick(static_cast<int>(std::min<std::int64_t>(3, smaller)));
    if (chance(30)) return average_pool(x, {.size = size, .stride = stride});
    return max_pool(x, {.size = size, .stride = chance(50) ? 0 : stride});
  }
  const std::int64_t window = 1 + pick(static_cast<int>(std::min<std::int64_t>(5, smaller)));
  std::int64_t filters = one_of(std::vector<std::int64_t>{1, 4, 16, 17});
  if (const std::int64_t taps = window * window * x.shape()[3]; taps >= 144 && chance(20))
    filters = ((1 << 18) + taps - 1) / taps;  // more weights than a cache holds
  const Value w = new_variable({x.dtype(), {window, window, x.shape()[3], filters}});
  sources_.push_back(w);
  const Value y =
      conv2d(x, w, {.stride = stride, .padding = one_of(std::vector<Padding>{Padding::same, Padding::valid, 1})});
  return chance(50) ? relu(y + new_variable({x.dtype(), {filters}})) : y;
}

}  // namespace oxbow::test
