// Shapes: up to eight axes, each with a size of zero or more, stored inline so that a type costs no allocation.
// Regular value types; safe to read from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace oxbow {

class Shape {
 public:
  static constexpr int max_rank = 8;
  /// The most elements of a shape: so many have, at 8 bytes each, a number of bytes that fits in 63 bits.
  static constexpr std::int64_t max_count = std::int64_t{1} << 59;

  Shape() = default;
  /// Sizes, outermost axis first. Throws `Error` for a negative size, for more than `max_rank` axes, and where the
  /// product of the sizes other than 0 is above `max_count`.
  Shape(std::initializer_list<std::int64_t> sizes);
  explicit Shape(std::span<const std::int64_t> sizes);
  explicit Shape(const std::vector<std::int64_t>& sizes);

  int rank() const { return rank_; }
  /// The size of an axis; a negative axis counts from the end (-1 is the last). The axis must exist: see `axis_of`.
  std::int64_t operator[](int axis) const { return sizes_[static_cast<std::size_t>(axis < 0 ? axis + rank_ : axis)]; }
  /// The product of the sizes: 1 for a scalar.
  std::int64_t count() const { return count(0, rank_); }
  /// The product of the sizes of the axes from `first` up to but without `last`.
  std::int64_t count(int first, int last) const;
  /// `axis` made non-negative. Throws `Error` when the shape has no such axis.
  int axis_of(std::int64_t axis) const;

  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }
  std::vector<std::int64_t> vector() const;

  /// This shape with one axis resized, removed or added.
  Shape with(int axis, std::int64_t size) const;
  Shape without(int axis) const;
  Shape inserted(int axis, std::int64_t size) const;

  bool operator==(const Shape&) const = default;

 private:
  std::array<std::int64_t, max_rank> sizes_{};  // zero beyond the rank, so that == compares sizes only
  int rank_ = 0;
};

/// "[32, 784]"; a scalar is "[]".
std::string to_string(const Shape& shape);

/// The common shape of `a` and `b`: aligned at the last axis, equal sizes or 1. Throws `Error` naming the axis
/// otherwise.
Shape broadcast(const Shape& a, const Shape& b);

/// An axis as an input declares it: a fixed size, or a free one that carries an example (see `any`).
struct Dim {
  std::int64_t size = 0;
  bool free = false;
  constexpr Dim(std::int64_t fixed) : size(fixed) {}  // implicit: {any(64), 784}
  constexpr Dim(std::int64_t example, bool is_free) : size(example), free(is_free) {}
};

/// A free axis: any size may be fed; `example` serves the checks while the graph is built.
constexpr Dim any(std::int64_t example) { return {example, true}; }

}  // namespace oxbow
