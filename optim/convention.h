// Keras and PyTorch give optimizers of one name different formulas and defaults. An optimizer that both have takes
// either's by its field `convention`; Keras's is the default, as in the tutorial that Oxbow came from.
//
//   Adam{}                                                  Keras's Adam: epsilon 1e-7, added before bias correction
//   Adam{.convention = Convention::pytorch}                 PyTorch's: epsilon 1e-8, added after it
//   Adam{.epsilon = 1e-6, .convention = Convention::pytorch}
//
// A field whose default differs is a `ByConvention`: it holds both defaults, and the convention picks one. So a field
// that nobody set is right under either, and one that is set means the same number under both.
// Thread safety: values.
#pragma once

#include <oxbow/graph/attribute.h>

#include <concepts>
#include <cstdint>

namespace oxbow::optim {

enum class Convention : std::uint8_t { keras, pytorch };

using oxbow::from_attr;
using oxbow::to_attr;
/// "keras" or "pytorch".
AttrValue to_attr(Convention c);
/// Throws `Error` for any other text.
void from_attr(const AttrValue& a, Convention& c);

/// A field with a default for each convention: `ByConvention<double> epsilon = {1e-7, 1e-8};`.
template <class T>
class ByConvention {
 public:
  constexpr ByConvention(T keras, T pytorch) : keras_(std::move(keras)), pytorch_(std::move(pytorch)) {}
  /// One value for both: what a user sets.
  template <std::convertible_to<T> U>
  constexpr ByConvention(const U& both) : keras_(both), pytorch_(both) {}
  constexpr const T& operator()(Convention c) const { return c == Convention::keras ? keras_ : pytorch_; }
  bool operator==(const ByConvention&) const = default;

 private:
  T keras_, pytorch_;
};

template <class T>
void from_attr(const AttrValue& a, ByConvention<T>& v) {
  T both = v(Convention::keras);
  from_attr(a, both);
  v = both;
}

}  // namespace oxbow::optim
