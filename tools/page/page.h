// The page of `oxbow dump --format html`: one file that shows a graph and its plan in a browser, without a network.
#pragma once

#include <string>
#include <string_view>

namespace oxbow::tools {

/// The page without data, from the files beside this one.
extern const std::string_view page_source;

/// The page of what `graph_json` or `plan_json` wrote. Pure.
std::string page(std::string_view json);

}  // namespace oxbow::tools
