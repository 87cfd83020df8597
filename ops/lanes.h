// A register of floats, which a formula may compute with as with a number: `at` of an elementwise op whose T is `Real`
// or `Number`. The compiler's own vectors serve all formulas but those that ops/pointwise/root.h serves better.
#pragma once

#include <type_traits>

namespace oxbow::math {

#if defined(__AVX512F__)
/// Sixteen floats; + - * / go by element.
typedef float Lanes __attribute__((vector_size(64)));
template <class T>
inline constexpr bool is_lanes = std::is_same_v<T, Lanes>;
#else
template <class T>
inline constexpr bool is_lanes = false;
#endif

}  // namespace oxbow::math
