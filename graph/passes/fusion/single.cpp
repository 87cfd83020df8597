#include <oxbow/graph/passes/fusion/single.h>

#include <cstring>

namespace oxbow::internal {
namespace {

// Bytes are moved by width, whatever they mean.
template <class Word>
void repeat(const void*, const void* const* in, void* out, std::int64_t lanes) {
  Word element;
  std::memcpy(&element, in[0], sizeof element);
  auto* to = static_cast<std::byte*>(out);
  for (std::int64_t i = 0; i < lanes; ++i)
    std::memcpy(to + i * static_cast<std::int64_t>(sizeof element), &element, sizeof element);
}

}  // namespace

TileFn Single::tile(Types in) const {
  return dispatch_width(in[0].dtype, []<class Word>(std::type_identity<Word>) -> TileFn { return repeat<Word>; });
}

}  // namespace oxbow::internal
