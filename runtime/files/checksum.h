// CRC-64 (ECMA-182, as xz has it) of what is added, in order: what tells a damaged file, and names a content.
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace oxbow::internal {

class Checksum {
 public:
  void add(const void* bytes, std::size_t count);
  /// A text after its length, so that "a", "bc" is not "ab", "c".
  void add(std::string_view text);
  /// 16 digits, 0 to 9 and a to f.
  std::string digits() const;

 private:
  std::uint64_t value_ = 0;
};

}  // namespace oxbow::internal
