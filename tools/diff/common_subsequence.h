// A longest common subsequence of two sequences of tokens. Thread safety: a pure function.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace oxbow::tools {

using Token = std::size_t;
using Matches = std::vector<std::pair<std::size_t, std::size_t>>;

/// Places in `a` and in `b` that match, in the order of both: as many as there can be (Myers 1986), in time and memory
/// O(length * differences); beyond 3000 differences a greedy choice that may be less.
Matches common_subsequence(std::span<const Token> a, std::span<const Token> b);

}  // namespace oxbow::tools
