#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/reshape.h>

namespace oxbow::ops {

Type Reshape::infer(Types in) const {
  const Shape& x = in[0].shape;
  const std::string wanted = to_string(x) + " (" + std::to_string(x.count()) + " elements)";
  std::vector<std::int64_t> sizes = shape;
  int rests = 0;
  // Axes that are kept cancel, so that what is left for -1 is known also where one of them is empty.
  std::int64_t left = 1, given = 1;
  std::vector<bool> kept(static_cast<std::size_t>(x.rank()));
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == rest) {
      ++rests;
    } else if (sizes[i] == same) {
      if (static_cast<int>(i) >= x.rank())
        throw OpError("there is no axis " + std::to_string(i) + " in " + to_string(x) + " whose size could be kept",
                      "A size of 0 keeps the axis of the same number");
      sizes[i] = x[static_cast<int>(i)];
      kept[i] = true;
    } else if (sizes[i] < 0) {
      throw OpError("an axis cannot have the size " + std::to_string(sizes[i]),
                    "Use -1 for one axis to take what is left, or 0 to keep an axis");
    } else {
      given = Shape{given, sizes[i]}.count();  // which refuses more elements than there are
    }
  }
  if (rests > 1) throw OpError("only one size can be -1", "Give all sizes but one");
  for (int i = 0; i < x.rank(); ++i)
    if (!kept[static_cast<std::size_t>(i)]) left *= x[i];
  if (rests == 1) {
    if (given == 0 ? left != 0 : left % given != 0)
      throw OpError(wanted + " leaves no whole number of elements for the size -1",
                    "The other sizes must divide the number of elements");
    *std::find(sizes.begin(), sizes.end(), rest) = given == 0 ? 0 : left / given;
  }
  const Shape y(sizes);
  if (y.count() != x.count())
    throw OpError(wanted + " cannot take the shape " + to_string(y) + " (" + std::to_string(y.count()) + " elements)",
                  "Both shapes must have as many elements; one size may be -1");
  return {in[0].dtype, y};
}

Work Reshape::work(Types in) const { return moving(in[0].bytes()); }

void Reshape::run(const Run& r) const {
  const auto [begin, end] = r.share(r.in_type(0).bytes());
  copy_bytes(r.outputs[0].bytes + begin, r.inputs[0].bytes + begin, end - begin);
}

Value Reshape::simplify(Values in) const {
  const Shape to = infer(std::array{in[0].type()}).shape;
  if (in[0].shape() == to) return in[0];
  if (in[0].node().op().is<Reshape>()) {
    const Value x = in[0].node().input(0);
    return x.shape() == to ? x : apply(Reshape{.shape = to.vector()}, {x}, {});
  }
  return {};
}

Grads Reshape::gradient(const Node& n, Values dy) const { return {reshape_like(dy[0], n.input(0))}; }

Type ReshapeLike::infer(Types in) const {
  if (in[0].count() != in[1].count())
    throw OpError("x has " + std::to_string(in[0].count()) + " elements and like has " + std::to_string(in[1].count()),
                  "Both must have as many elements");
  return {in[0].dtype, in[1].shape};
}

std::vector<Value> ReshapeLike::lower(Values in) const {
  return {apply(Reshape{.shape = in[1].shape().vector()}, {in[0]}, {})};
}

Value ReshapeLike::simplify(Values in) const {
  if (in[0].shape() == in[1].shape()) return in[0];
  return apply(Reshape{.shape = in[1].shape().vector()}, {in[0]}, {});
}

// What is added to a part of x is, before the sum takes the shape of `like`.
Value ReshapeLike::add_to(Values in, Value sum, Value flows) const {
  const Node part = in[0].node();
  if (!part.op().has_add_to()) return {};
  const Value more = part.op().add_to(part.inputs(), reshape_like(sum, in[0]), flows);
  return more ? reshape_like(more, in[1]) : Value();
}

Grads ReshapeLike::gradient(const Node& n, Values dy) const { return {reshape_like(dy[0], n.input(0)), Value()}; }

Type Squeeze::infer(Types in) const {
  const Shape& x = in[0].shape;
  std::vector<bool> gone(static_cast<std::size_t>(x.rank()));
  for (const std::int64_t axis : axes) {
    const auto a = static_cast<std::size_t>(x.axis_of(axis));
    if (gone[a])
      throw OpError("axis " + std::to_string(a) + " of " + to_string(x) + " is named twice", "Name each axis once");
    if (x[static_cast<int>(a)] != 1)
      throw OpError("axis " + std::to_string(axis) + " of " + to_string(x) + " does not have size 1",
                    "Take one place of it: slice(x, " + std::to_string(axis) + ", 0, 1)");
    gone[a] = true;
  }
  std::vector<std::int64_t> left;
  for (int i = 0; i < x.rank(); ++i)
    if (!gone[static_cast<std::size_t>(i)]) left.push_back(x[i]);
  return {in[0].dtype, Shape(left)};
}

std::vector<Value> Squeeze::lower(Values in) const {
  return {apply(Reshape{.shape = infer(std::array{in[0].type()}).shape.vector()}, {in[0]}, {})};
}

Value Squeeze::simplify(Values in) const { return axes.empty() ? in[0] : lower(in)[0]; }

Grads Squeeze::gradient(const Node& n, Values dy) const { return {reshape_like(dy[0], n.input(0))}; }

Type ExpandDims::infer(Types in) const {
  const Shape& x = in[0].shape;
  const auto rank = static_cast<std::int64_t>(x.rank()) + std::ssize(axes);
  if (rank > Shape::max_rank)
    throw OpError(to_string(x) + " with " + std::to_string(axes.size()) + " more axes has " + std::to_string(rank),
                  "A shape has at most " + std::to_string(Shape::max_rank));
  std::vector<bool> fresh(static_cast<std::size_t>(rank));
  for (const std::int64_t axis : axes) {
    const std::int64_t a = axis < 0 ? axis + rank : axis;
    if (a < 0 || a >= rank)
      throw OpError("the result, with " + std::to_string(rank) + " axes, has no axis " + std::to_string(axis),
                    "Use " + std::to_string(-rank) + " to " + std::to_string(rank - 1));
    if (fresh[static_cast<std::size_t>(a)])
      throw OpError("axis " + std::to_string(a) + " of the result is named twice", "Name each axis once");
    fresh[static_cast<std::size_t>(a)] = true;
  }
  std::vector<std::int64_t> sizes;
  int next = 0;
  for (const bool one : fresh) sizes.push_back(one ? 1 : x[next++]);
  return {in[0].dtype, Shape(sizes)};
}

std::vector<Value> ExpandDims::lower(Values in) const {
  return {apply(Reshape{.shape = infer(std::array{in[0].type()}).shape.vector()}, {in[0]}, {})};
}

Value ExpandDims::simplify(Values in) const { return axes.empty() ? in[0] : lower(in)[0]; }

Grads ExpandDims::gradient(const Node& n, Values dy) const { return {reshape_like(dy[0], n.input(0))}; }

}  // namespace oxbow::ops

namespace oxbow {

Value reshape(Value x, std::vector<std::int64_t> shape, At at) {
  for (std::int64_t& size : shape)
    if (size == 0) size = ops::Reshape::same;
  return apply(ops::Reshape{.shape = std::move(shape)}, {x}, at);
}

Value reshape_like(Value x, Value like, At at) { return apply(ops::ReshapeLike{}, {x, like}, at); }

Value flatten(Value x, At at) {
  return as_called("flatten", [&] {
    return apply(ops::Reshape{.shape = {ops::Reshape::same, ops::Reshape::rest}}, {x}, at);
  });
}

Value squeeze(Value x, std::vector<std::int64_t> axes, At at) {
  return apply(ops::Squeeze{.axes = std::move(axes)}, {x}, at);
}

Value expand_dims(Value x, std::vector<std::int64_t> axes, At at) {
  return apply(ops::ExpandDims{.axes = std::move(axes)}, {x}, at);
}

}  // namespace oxbow
