// Parameter groups: parameters, chosen by their names, that are trained in another way than the rest.
//
//   compile(loss, optim::AdamW{}, {.minimize = {.groups = {{.pattern = "*/bias", .weight_decay = 0},
//                                                          {.pattern = "encoder/*", .rate = 0.1},
//                                                          {.pattern = "embedding/*", .frozen = true}}}});
//
// Patterns are matched against full names, "encoder/layer1/weight": '*' stands for any text, '/' included, '?' for any
// one character. A parameter belongs to the first group that matches it; one that none matches is trained by the
// optimizer as it is. Thread safety: values.
#pragma once

#include <oxbow/optim/optimizer.h>

#include <optional>

namespace oxbow::optim {

struct Group {
  std::string pattern;
  double rate = 1;                          ///< times the optimizer's learning rate; 0 keeps the parameters as they are
  std::optional<Optimizer> optimizer = {};  ///< another one, with a rate of its own
  std::optional<double> weight_decay = {};  ///< in place of the optimizer's
  bool frozen = false;                      ///< not trained: no gradient, no state
};

/// Whether `name` is as `pattern` says.
bool matches(std::string_view pattern, std::string_view name);

/// For each name the number of its group, or -1. Throws `Error` for a pattern that matches no name, with those that are
/// near, for a group whose parameters all belong to earlier ones, for a rate or decay that is negative, and for a name
/// that is given twice.
std::vector<int> grouped(const std::vector<Group>& groups, const std::vector<std::string>& names);

}  // namespace oxbow::optim
