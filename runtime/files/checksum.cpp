#include <lzma.h>
#include <oxbow/runtime/files/checksum.h>

namespace oxbow::internal {

void Checksum::add(const void* bytes, std::size_t count) {
  value_ = ::lzma_crc64(static_cast<const std::uint8_t*>(bytes), count, value_);
}

void Checksum::add(std::string_view text) {
  const std::uint64_t length = text.size();
  add(&length, sizeof length);
  add(text.data(), text.size());
}

std::string Checksum::digits() const {
  std::string digits;
  for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[value_ >> shift & 15];
  return digits;
}

}  // namespace oxbow::internal
