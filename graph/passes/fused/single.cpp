#include <oxbow/graph/passes/fused/single.h>

#include <array>
#include <cstring>

namespace oxbow {
namespace {

// Bytes are moved by width, whatever they mean.
template <std::size_t width>
void repeat(const void*, const void* const* in, void* out, std::int64_t lanes) {
  std::array<std::byte, width> element;
  std::memcpy(element.data(), in[0], width);
  auto* to = static_cast<std::byte*>(out);
  for (std::int64_t i = 0; i < lanes; ++i)
    std::memcpy(to + i * static_cast<std::int64_t>(width), element.data(), width);
}

}  // namespace

TileFn Single::tile(Types in) const {
  switch (size_of(in[0].dtype)) {
    case 8:
      return repeat<8>;
    case 4:
      return repeat<4>;
    default:
      return repeat<1>;
  }
}

}  // namespace oxbow
