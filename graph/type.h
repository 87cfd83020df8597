// What a value is before it has bytes: dtype, shape and layout. Every value is dense in its layout.
#pragma once

#include <oxbow/graph/dtype.h>
#include <oxbow/graph/shape.h>

#include <span>

namespace oxbow {

/// How the elements of a value lie in memory.
/// `panel == 0`: row-major. `panel == p`: the last axis is cut into panels of p columns, each panel holding all rows of
/// the last two axes, [..., ceil(n / p)][rows][p]; the columns beyond n are zeros. Matrix products read their right
/// operand so (see ops/linalg/pack.h).
struct Layout {
  std::int32_t panel = 0;
  bool plain() const { return panel == 0; }
  bool operator==(const Layout&) const = default;
};

struct Type {
  DType dtype = f32;
  Shape shape = {};
  Layout layout = {};
  bool present = true;  ///< false: the type of an optional input that is not given; nothing else of it matters

  /// The type of what is not there: of no elements and no bytes.
  static const Type& absent();
  explicit operator bool() const { return present; }

  /// Logical elements, whatever the layout.
  std::int64_t count() const { return shape.count(); }
  /// Elements in memory, a panel's padding included.
  std::int64_t stored() const;
  /// Bytes in memory.
  std::int64_t bytes() const { return stored() * size_of(dtype); }

  bool operator==(const Type&) const = default;
};

using Types = std::span<const Type>;

/// "f32[32, 784]"; a panel layout follows as "f32[784, 256]{panel 64}"; an absent one is "_".
std::string to_string(const Type& type);
/// "f32[32, 784], f32[784, 256]".
std::string to_string(Types types);

}  // namespace oxbow
