// The reference of all ops, made from the catalogue: what `oxbow ops` prints. Thread safety: pure
// functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace oxbow::tools {

/// An op as the reference shows it.
struct OpReference {
  std::string name;
  std::string signature;      ///< "matmul(a, b)"
  std::string formula;        ///< "a b over the last two axes"
  std::string example = {};   ///< of types: "f64[2, 3], f64[3, 4] -> f64[2, 4]"
  std::string dtypes = {};    ///< that its floating-point inputs may have, or else its result: "f32, f64"
  std::string gradient = {};  ///< "yes", or why there is none
  bool internal = false;      ///< no user builds it: `gradients` or passes do
};

/// All ops of the catalogue, by name; without the internal ones unless asked for.
std::vector<OpReference> op_references(bool with_internal);

/// A paragraph an op, for a terminal.
std::string as_text(const std::vector<OpReference>& ops);
/// A page with a table.
std::string as_markdown(const std::vector<OpReference>& ops);

}  // namespace oxbow::tools
