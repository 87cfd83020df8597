#include <oxbow/graph/leaves.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/numbers.h>

namespace oxbow {

using namespace ops;

namespace {

// An image by its axes, whose sizes are known values.
struct Image {
  Value x, n, channels, height, width;
  bool channels_first;

  Image(const char* builder, Value image, std::int64_t block, bool first, At at) : x(image), channels_first(first) {
    check_built(builder, x, at);
    if (x.rank() != 4 || block < 1)
      throw BuildError(builder, "x is " + to_string(x.type()) + ", the block " + std::to_string(block) + at_line(at) +
                                    "\n  Give images with four axes, and a block of at least 1");
    const std::vector<Value> sizes = split(shape_of(x, at), 4, 0, at);
    n = sizes[0];
    channels = sizes[first ? 1 : 3];
    height = sizes[first ? 2 : 1];
    width = sizes[first ? 3 : 2];
  }
  Value size(std::int64_t number, At at) const { return constant(x.graph(), whole({number}), at); }
};

}  // namespace

Value depth_to_space(Value x, std::int64_t block, DepthOptions options, At at) {
  return as_called("depth_to_space", [&] {
    const Image image("depth_to_space", x, block, options.channels_first, at);
    const Value b = image.size(block, at), rest = image.size(-1, at);
    // Channels are [b, b, c], or [c, b, b] where a pixel's own come one after another.
    const std::vector<Value> parts = options.blocks_first ? std::vector{b, b, rest} : std::vector{rest, b, b};
    std::vector<Value> apart{image.n};
    if (!options.channels_first) apart.insert(apart.end(), {image.height, image.width});
    apart.insert(apart.end(), parts.begin(), parts.end());
    if (options.channels_first) apart.insert(apart.end(), {image.height, image.width});
    const std::int64_t from = options.channels_first ? 1 : 3;  // the first of the three
    const std::int64_t down = options.blocks_first ? from : from + 1, c = options.blocks_first ? from + 2 : from;
    const std::int64_t h = options.channels_first ? 4 : 1;
    const std::vector<std::int64_t> order = options.channels_first
                                                ? std::vector<std::int64_t>{0, c, h, down, h + 1, down + 1}
                                                : std::vector<std::int64_t>{0, h, down, h + 1, down + 1, c};
    const Value blocks = transpose(reshape(x, concat(apart, 0, at), at), order, at);
    const Value tall = multiply(image.height, b, at), wide = multiply(image.width, b, at);
    const std::vector<Value> sizes =
        options.channels_first ? std::vector{image.n, rest, tall, wide} : std::vector{image.n, tall, wide, rest};
    return reshape(blocks, concat(sizes, 0, at), at);
  });
}

Value space_to_depth(Value x, std::int64_t block, DepthOptions options, At at) {
  return as_called("space_to_depth", [&] {
    const Image image("space_to_depth", x, block, options.channels_first, at);
    const Value b = image.size(block, at), rest = image.size(-1, at);
    // First the rows, then the columns, so that one size is left for each.
    const auto cut = [&](Value y, std::vector<Value> sizes) { return reshape(y, concat(sizes, 0, at), at); };
    Value y = options.channels_first ? cut(x, {image.n, image.channels, rest, b, image.width})
                                     : cut(x, {image.n, rest, b, image.width, image.channels});
    const std::vector<Value> s = split(shape_of(y, at), 5, 0, at);
    y = options.channels_first ? cut(y, {s[0], s[1], s[2], s[3], rest, b}) : cut(y, {s[0], s[1], s[2], rest, b, s[4]});
    const std::vector<Value> t = split(shape_of(y, at), 6, 0, at);
    // [n, c, h, b, w, b] or [n, h, b, w, b, c].
    const std::int64_t h = options.channels_first ? 2 : 1, c = options.channels_first ? 1 : 5;
    const std::vector<std::int64_t> parts =
        options.blocks_first ? std::vector<std::int64_t>{h + 1, h + 3, c} : std::vector<std::int64_t>{c, h + 1, h + 3};
    std::vector<std::int64_t> order{0};
    if (!options.channels_first) order.insert(order.end(), {h, h + 2});
    order.insert(order.end(), parts.begin(), parts.end());
    if (options.channels_first) order.insert(order.end(), {h, h + 2});
    const Value rows = t[static_cast<std::size_t>(h)], columns = t[static_cast<std::size_t>(h + 2)];
    const Value depth = multiply(image.channels, multiply(b, b, at), at);
    return options.channels_first ? cut(transpose(y, order, at), {t[0], depth, rows, columns})
                                  : cut(transpose(y, order, at), {t[0], rows, columns, depth});
  });
}

}  // namespace oxbow
