// How long and how deep a scope may be. Pure functions.
#pragma once

#include <string_view>

namespace oxbow::internal {

/// Throws `Error` for a scope that is longer than `limits::scope_bytes` or nests deeper than `limits::scope_depth`:
/// each node below it is shown with all of it, and is looked for level by level.
void check_scope(std::string_view scope);

}  // namespace oxbow::internal
