// Names and numbers in messages: the names near an unknown one, all of them, letter case. Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace oxbow::internal {

/// With ASCII's capitals made small.
std::string lower_case(std::string_view text);

/// How many letters must be inserted, removed, replaced or swapped with their neighbour to turn `a` into `b`, letter
/// case aside (Damerau 1964).
int edit_distance(std::string_view a, std::string_view b);

/// Those of `known` that `wanted` may have meant, nearest first, at most three: a third of its letters differ at most,
/// or one name begins with the other.
std::vector<std::string> near_names(std::string_view wanted, std::span<const std::string> known);

/// " Did you mean \"adam\" or \"adamw\"?", or "" when no name is near.
std::string did_you_mean(std::string_view wanted, std::span<const std::string> known);

/// "there is no optimizer \"adma\". Did you mean \"adam\"? Known are: adam, sgd".
std::string no_such(std::string_view what, std::string_view wanted, std::span<const std::string> known);

/// "\"x\"", with escapes for what a terminal obeys (graph/support/utf8.h), line ends too.
std::string in_quotes(std::string_view name);
/// "adam, adamw, sgd".
std::string listed(std::span<const std::string> names);
/// "\"x\", \"label\"", each as `in_quotes` shows it.
std::string quoted(std::span<const std::string> names);

/// "0.001", "1e-07", "nan": at most six digits.
std::string short_number(double number);

}  // namespace oxbow::internal
