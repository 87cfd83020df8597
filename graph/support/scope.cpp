#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/scope.h>

#include <algorithm>

namespace oxbow::internal {

void check_scope(std::string_view scope) {
  if (scope.size() > limits::scope_bytes)
    throw Error("the scope " + in_quotes(scope) + " has " + std::to_string(scope.size()) +
                " bytes\n  Use at most " + std::to_string(limits::scope_bytes));
  if (const auto slashes = std::count(scope.begin(), scope.end(), '/');
      slashes >= static_cast<std::ptrdiff_t>(limits::scope_depth))
    throw Error("the scope " + in_quotes(scope) + " nests " + std::to_string(slashes + 1) +
                " levels deep\n  Use at most " + std::to_string(limits::scope_depth));
}

}  // namespace oxbow::internal
