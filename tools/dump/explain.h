// One value and everything about it: where it was built, who made it and who reads it, what became of it on the way to
// the plan, where it lives, until when, and why. What `oxbow explain` prints. Pure functions.
#pragma once

#include "dump/stages.h"

namespace oxbow::tools {

/// The value that a word means: a full name, an output's name, a label ("%12#1"), a number, or a variable's or input's
/// name. Throws `Error` with similar names for an unknown one.
Value find_value(const Graph& graph, std::string_view word);

/// `planned`: the plan that the graph came with, whose nodes are the graph's; otherwise it is compiled as `how` says.
std::string explain(const Graph& graph, std::string_view word, const Compiling& how = {},
                    const Ledger* planned = nullptr);

}  // namespace oxbow::tools
