#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/reshape.h>
#include <oxbow/ops/shape/transpose.h>
#include <oxbow/ops/shared/transpose.h>

#include <algorithm>
#include <numeric>

namespace oxbow::ops {

/// Loops over the result, outermost first, after axes of size 1 are left out and axes that stay neighbours are merged.
/// The last loop, and the one that walks x element by element, make planes; `outer` are all others.
struct Transpose::Plan {
  struct Loop {
    std::int64_t size, in, out;  ///< steps in x and in the result, in elements
  };
  std::vector<Loop> outer;
  std::int64_t planes = 1;
  Loop near{1, 1, 1};  ///< walks x element by element
  Loop last{1, 1, 1};  ///< walks the result element by element; `near` has size 1 where this walks x as well
};

namespace {

constexpr std::int64_t tile_rows = 32;

// `permutation` in numbers that count from the front.
std::vector<int> normal(const std::vector<std::int64_t>& permutation, const Shape& x) {
  std::vector<int> axes(static_cast<std::size_t>(x.rank()));
  if (permutation.empty()) {
    std::iota(axes.rbegin(), axes.rend(), 0);
    return axes;
  }
  std::vector<bool> seen(axes.size());
  bool each_once = permutation.size() == axes.size();
  for (std::size_t i = 0; each_once && i < axes.size(); ++i) {
    axes[i] = x.axis_of(permutation[i]);
    each_once = !seen[static_cast<std::size_t>(axes[i])];
    seen[static_cast<std::size_t>(axes[i])] = true;
  }
  if (!each_once) {
    std::string given;
    for (std::int64_t axis : permutation) given += (given.empty() ? "" : ", ") + std::to_string(axis);
    throw OpError("[" + given + "] does not name each axis of " + to_string(x) + " once",
                  "Give the " + std::to_string(x.rank()) + " axes in the order wanted, or none to reverse them");
  }
  return axes;
}

std::vector<Transpose::Plan::Loop> loops_of(const Shape& x, const std::vector<int>& axes) {
  std::vector<Transpose::Plan::Loop> loops;
  std::int64_t out = x.count();
  for (int axis : axes) {
    const std::int64_t size = x[axis], in = x.count(axis + 1, x.rank());
    if (size == 1) continue;
    out /= size;
    if (!loops.empty() && loops.back().in == size * in)
      loops.back() = {loops.back().size * size, in, out};
    else
      loops.push_back({size, in, out});
  }
  return loops;
}

template <class T>
void transpose_planes(const Transpose::Plan& plan, const T* x, T* y, std::int64_t begin, std::int64_t end) {
  const auto& [rows, row_in, row_out] = plan.near;
  const auto& [columns, column_in, column_out] = plan.last;
  const std::int64_t blocks = (rows + tile_rows - 1) / tile_rows;
  for (std::int64_t unit = begin; unit < end; ++unit) {
    const std::int64_t first = unit % blocks * tile_rows, last = std::min(rows, first + tile_rows);
    std::int64_t at = unit / blocks;
    const T* from = x;
    T* to = y;
    for (auto loop = plan.outer.rbegin(); loop != plan.outer.rend(); ++loop) {
      from += at % loop->size * loop->in;
      to += at % loop->size * loop->out;
      at /= loop->size;
    }
    if (column_in == 1) {
      std::copy(from, from + columns, to);
      continue;
    }
    // By way of a small buffer, so that memory is read and written in whole cache lines however far apart they are.
    T square[tile_rows][tile_rows];
    const std::int64_t height = last - first;
    from += first;
    to += first * row_out;
    for (std::int64_t c = 0; c < columns; c += tile_rows) {
      const std::int64_t width = std::min(tile_rows, columns - c);
      copy_transposed(from + c * column_in, column_in, square[0], tile_rows, height, width);
      for (std::int64_t i = 0; i < height; ++i) std::copy_n(square[i], width, to + i * row_out + c);
    }
  }
}

}  // namespace

Type Transpose::infer(Types in) const {
  std::vector<std::int64_t> sizes;
  for (int axis : normal(permutation, in[0].shape)) sizes.push_back(in[0].shape[axis]);
  return {in[0].dtype, Shape(sizes)};
}

Prepared<Transpose::Plan> Transpose::prepare(Types in) const {
  auto plan = std::make_shared<Plan>();
  const Prepared<Plan> prepared{moving(in[0].bytes()), plan};
  if (in[0].count() == 0) {
    plan->planes = 0;
    return prepared;
  }
  plan->outer = loops_of(in[0].shape, normal(permutation, in[0].shape));
  if (plan->outer.empty()) return prepared;  // a single element
  plan->last = plan->outer.back();
  plan->outer.pop_back();
  if (plan->last.in != 1) {
    const auto near = std::find_if(plan->outer.begin(), plan->outer.end(), [](const auto& l) { return l.in == 1; });
    plan->near = *near;
    plan->outer.erase(near);
  }
  for (const Plan::Loop& loop : plan->outer) plan->planes *= loop.size;
  return prepared;
}

void Transpose::run(const Run& r, const Plan& plan) const {
  const auto [begin, end] = r.share(plan.planes * ((plan.near.size + tile_rows - 1) / tile_rows));
  dispatch_width(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    transpose_planes(plan, reinterpret_cast<const T*>(r.inputs[0].bytes), reinterpret_cast<T*>(r.outputs[0].bytes),
                     begin, end);
  });
}

Value Transpose::simplify(Values in) const {
  const Shape& x = in[0].shape();
  const std::vector<int> axes = normal(permutation, x);
  if (std::is_sorted(axes.begin(), axes.end())) return in[0];
  if (const auto* before = in[0].node().op().as<Transpose>()) {
    const Value source = in[0].node().input(0);
    const std::vector<int> earlier = normal(before->permutation, source.shape());
    std::vector<std::int64_t> both;
    for (int axis : axes) both.push_back(earlier[static_cast<std::size_t>(axis)]);
    if (std::is_sorted(both.begin(), both.end())) return source;
    return transpose(source, both);
  }
  // Where only axes of size 1 change places, no element moves.
  if (x.count() == 0 || loops_of(x, axes).size() <= 1) {
    const std::vector<Type> types{in[0].type()};
    return apply(Reshape{.shape = infer(types).shape.vector()}, {in[0]}, {});
  }
  return {};
}

std::vector<int> Transpose::moved_axes(Types in) const { return normal(permutation, in[0].shape); }

Op Transpose::with_moved_axes(const std::vector<int>& axes) const {
  return Transpose{.permutation = {axes.begin(), axes.end()}};
}

Value aligned_and_moved(Value x, std::span<const int> axes) {
  if (x.rank() == 0) return x;
  Shape full = x.shape();
  while (full.rank() < static_cast<int>(axes.size())) full = full.inserted(0, 1);
  const auto reshaped = [&](const Shape& shape) {
    return shape == x.shape() ? x : apply(Reshape{.shape = shape.vector()}, {x}, {});
  };
  const std::vector<int> order(axes.begin(), axes.end());
  if (full.count() != 0 && loops_of(full, order).size() > 1)
    return transpose(reshaped(full), {axes.begin(), axes.end()});
  Shape moved = moved_shape(full, axes);
  while (moved.rank() > 1 && moved[0] == 1) moved = moved.without(0);
  return reshaped(moved);
}

std::int64_t moved_axis(std::int64_t axis, std::span<const int> axes) {
  if (axis < 0) axis += static_cast<std::int64_t>(axes.size());
  return std::find(axes.begin(), axes.end(), static_cast<int>(axis)) - axes.begin();
}

Shape moved_shape(const Shape& x, std::span<const int> axes) {
  std::vector<std::int64_t> sizes;
  for (const int axis : axes) sizes.push_back(x[axis]);
  return Shape(sizes);
}

namespace {

// The permutation that puts the axes of x where they were.
std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& permutation, const Shape& x) {
  const std::vector<int> axes = normal(permutation, x);
  std::vector<std::int64_t> back(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) back[static_cast<std::size_t>(axes[i])] = static_cast<std::int64_t>(i);
  return back;
}

}  // namespace

// What is added to a part of x is, before the axes of the sum change places: of two in a row the transpositions cancel.
Value Transpose::add_to(Values in, Value sum, Value flows) const {
  const Node part = in[0].node();
  if (!part.op().has_add_to()) return {};
  const Value more = part.op().add_to(part.inputs(), transpose(sum, inverse(permutation, in[0].shape())), flows);
  return more ? transpose(more, permutation) : Value();
}

Grads Transpose::gradient(const Node& n, Values dy) const {
  return {transpose(dy[0], inverse(permutation, n.input(0).shape()))};
}

}  // namespace oxbow::ops

namespace oxbow {

Value transpose(Value x, std::vector<std::int64_t> permutation, At at) {
  return apply(ops::Transpose{.permutation = std::move(permutation)}, {x}, at);
}

}  // namespace oxbow
