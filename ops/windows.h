// What convolutions and pooling say of their windows: steps along each axis, padding, and where the channels are.
#pragma once

#include <oxbow/graph/value.h>

#include <array>
#include <initializer_list>

namespace oxbow {

struct AttrValue;

/// Where the channels of images, sequences and volumes are. Kernels compute with `channels_last`; what is
/// `channels_first` is transposed around them, and transpositions between them cancel out (graph/passes/layout.h).
enum class DataFormat : std::uint8_t {
  channels_last,  ///< [n, h, w, c], weights [kh, kw, c / groups, k]: as in TensorFlow
  channels_first  ///< [n, c, h, w], weights [k, c / groups, kh, kw]: as in PyTorch and ONNX
};
using enum DataFormat;

/// A number for each axis along which windows lie: `2` for all, `{2, 1}` for down and across, or three, from the depth
/// on. Numbers that are all equal are one.
class PerAxis {
 public:
  PerAxis(std::int64_t all) : numbers_{all, all, all} {}  // implicit: {.stride = 2}
  PerAxis(int all) : PerAxis(std::int64_t{all}) {}
  /// Throws `Error` unless there are one to three numbers.
  PerAxis(std::initializer_list<std::int64_t> numbers) : PerAxis(std::vector<std::int64_t>(numbers)) {}
  PerAxis(const std::vector<std::int64_t>& numbers);
  /// How many there are; 1 where all are equal.
  int count() const { return count_; }
  std::int64_t through() const { return numbers_[0]; }  ///< along the depth
  std::int64_t down() const { return numbers_[1]; }
  std::int64_t across() const { return numbers_[2]; }
  bool operator==(const PerAxis&) const = default;

 private:
  std::array<std::int64_t, 3> numbers_;  // that of the last axis last
  int count_ = 1;
};
/// "2", "[2, 1]".
std::string to_string(const PerAxis& v);
/// A number, or a list of them.
AttrValue to_attr(const PerAxis& v);
/// Throws `Error` for anything else.
void from_attr(const AttrValue& a, PerAxis& v);

/// Rows and columns of zeros around an image, and slices around a volume.
struct Padding {
  enum class Kind : std::uint8_t {
    valid,       ///< none
    same,        ///< so that the output has ceil(size / stride) rows and columns, the odd one below and right
    same_lower,  ///< the same with the odd one above and left
    sides        ///< as many as `front`, `back`, `top`, `bottom`, `left` and `right` say
  };
  using enum Kind;
  Kind kind = same;
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
  std::int64_t front = 0, back = 0;  ///< of volumes
  Padding() = default;
  Padding(Kind k) : kind(k) {}                                          // implicit: {.padding = Padding::valid}
  Padding(std::int64_t all) : Padding(all, all, all, all, all, all) {}  // implicit: {.padding = 2}
  Padding(int all) : Padding(std::int64_t{all}) {}
  Padding(std::int64_t t, std::int64_t b, std::int64_t l, std::int64_t r)
      : kind(sides), top(t), bottom(b), left(l), right(r) {}
  Padding(std::int64_t f, std::int64_t back_, std::int64_t t, std::int64_t b, std::int64_t l, std::int64_t r)
      : kind(sides), top(t), bottom(b), left(l), right(r), front(f), back(back_) {}
  /// Without what is at the front and the back of volumes.
  Padding of_images() const {
    Padding p = *this;
    p.front = p.back = 0;
    return p;
  }
  bool is_same() const { return kind == same || kind == same_lower; }
  bool operator==(const Padding&) const = default;
};
/// "valid", "same", "same_lower", the four numbers of images, or the six of volumes.
AttrValue to_attr(const Padding& v);
/// Throws `Error` for anything else.
void from_attr(const AttrValue& a, Padding& v);

}  // namespace oxbow
