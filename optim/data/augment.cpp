#include <oxbow/optim/image.h>

#include <algorithm>
#include <cstring>

namespace oxbow {

namespace {

// A row seen as rows of pixels.
struct Picture {
  std::int64_t height, width, bytes;  // of a pixel

  Picture(const Tensor& row, const char* builder) {
    const Shape& s = row.shape();
    if ((s.rank() != 2 && s.rank() != 3) || row.count() == 0)
      throw Error(std::string(builder) + ": a row is " + to_string(row.type()) +
                  ". Give [height, width] or [height, width, channels]");
    height = s[0];
    width = s[1];
    bytes = row.type().bytes() / (height * width);
  }
};

// The part of `row` from (top, left) on; what is beyond it is 0. Mirrored where that is asked for.
Tensor cut(const Tensor& row, const Picture& p, std::int64_t top, std::int64_t left, std::int64_t height,
           std::int64_t width, bool across, bool down) {
  Shape shape = row.shape().with(0, height).with(1, width);
  Tensor out({row.dtype(), shape});
  for (std::int64_t y = 0; y < height; ++y) {
    const std::int64_t from_y = top + (down ? height - 1 - y : y);
    if (from_y < 0 || from_y >= p.height) continue;
    const std::int64_t first = std::max<std::int64_t>(left, 0), last = std::min(left + width, p.width);
    if (first >= last) continue;
    const std::byte* from = row.bytes() + (from_y * p.width + first) * p.bytes;
    std::byte* line = out.bytes() + y * width * p.bytes;
    if (!across) {
      std::memcpy(line + (first - left) * p.bytes, from, static_cast<std::size_t>((last - first) * p.bytes));
      continue;
    }
    for (std::int64_t x = first; x < last; ++x, from += p.bytes)
      std::memcpy(line + (width - 1 - (x - left)) * p.bytes, from, static_cast<std::size_t>(p.bytes));
  }
  return out;
}

void check_part(const Tensor& row, const Picture& p, std::int64_t height, std::int64_t width, const char* builder) {
  if (height > p.height || width > p.width)
    throw Error(std::string(builder) + ": a part of " + std::to_string(height) + " x " + std::to_string(width) +
                " pixels is larger than a row, " + to_string(row.type()) + ". Give a smaller one, or larger pictures");
}

}  // namespace

RowFunction augment(const Augmentation& o) {
  if (o.shift < 0 || o.height < 0 || o.width < 0)
    throw Error("augment: shift is " + std::to_string(o.shift) + ", height " + std::to_string(o.height) +
                " and width " + std::to_string(o.width) + ". Give at least 0");
  return [o](const Tensor& row, Draws& draws) {
    const Picture p(row, "augment");
    const std::int64_t height = o.height > 0 ? o.height : p.height, width = o.width > 0 ? o.width : p.width;
    check_part(row, p, height, width, "augment");
    // All are drawn, whether asked for or not, so that what one does never changes another.
    const std::int64_t down = draws.below(2 * o.shift + 1) - o.shift, right = draws.below(2 * o.shift + 1) - o.shift;
    const std::int64_t top = draws.below(p.height - height + 1), left = draws.below(p.width - width + 1);
    const bool across = draws.chance(0.5), over = draws.chance(0.5);
    return cut(row, p, top - down, left - right, height, width, o.flip && across, o.flip_vertical && over);
  };
}

RowFunction center_crop(std::int64_t height, std::int64_t width) {
  if (height < 1 || width < 1)
    throw Error("center_crop: a part of " + std::to_string(height) + " x " + std::to_string(width) +
                " pixels is none. Give at least 1");
  return [height, width](const Tensor& row, Draws&) {
    const Picture p(row, "center_crop");
    check_part(row, p, height, width, "center_crop");
    return cut(row, p, (p.height - height) / 2, (p.width - width) / 2, height, width, false, false);
  };
}

}  // namespace oxbow
