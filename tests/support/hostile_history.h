// What must hold for any text that claims to be a history: it is refused with the file's name, or the numbers in it are
// read back from the CSV that is written of it. For the fuzzer and for the test that reads its corpus.
#pragma once

#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>

#include <cmath>
#include <string>

#include "history/file.h"

namespace oxbow::test {

/// "" when all holds, otherwise what does not.
inline std::string read_hostile_history(const std::string& text) {
  tools::Table table;
  try {
    table = tools::parse_table(text, "FILE");
    for (const auto& column : table.values)
      if (column.size() != table.values[0].size() && text.find('[') == std::string::npos)
        return "columns differ in length";
    tools::losses(table, "FILE");
  } catch (const Error& e) {
    const std::string said = e.what();
    if (!said.starts_with("FILE") && !said.starts_with("cannot read FILE")) return "no name in the message: " + said;
    if (said.size() > internal::limits::message) return "a message of " + std::to_string(said.size()) + " bytes";
    return "";
  }
  // Names of our own: others' may hold what a header does not.
  for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i] = "c" + std::to_string(i);
  const std::string written = tools::csv(table);
  try {
    if (tools::csv(tools::parse_table(written, "AGAIN")) != written) return "no fixed point:\n" + written;
  } catch (const Error& e) {
    if (std::string(e.what()).find("there are no numbers below the header") == std::string::npos)
      return std::string("what was written is refused: ") + e.what() + "\n" + written;
  }
  return "";
}

}  // namespace oxbow::test
