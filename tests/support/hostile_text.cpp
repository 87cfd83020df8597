#include "hostile_text.h"

#include <oxbow/ops/catalog.h>
#include <oxbow/runtime/ledger/text.h>

namespace oxbow::test {
using namespace internal;

namespace {

// "FILE:line:column: ..."
bool has_place(std::string_view message) {
  constexpr std::string_view file = "FILE:";
  if (!message.starts_with(file)) return false;
  message.remove_prefix(file.size());
  for (int i = 0; i < 2; ++i) {
    const std::size_t digits = message.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || message[digits] != ':') return false;
    message.remove_prefix(digits + 1);
  }
  return true;
}

}  // namespace

std::string read_hostile(std::string_view text) {
  std::shared_ptr<Graph> graph;
  std::optional<Ledger> plan;
  try {
    graph = parse(text, catalog(), "FILE");
    plan = parse_ledger(text, graph, "FILE");
  } catch (const Error& e) {
    return has_place(e.what()) ? "" : std::string("a message without a place: ") + e.what();
  }
  const std::string printed = plan ? print(*plan) : print(*graph);
  try {
    const std::shared_ptr<Graph> again = parse(printed, catalog(), "AGAIN");
    if (!equal(*graph, *again)) return "another graph is read back:\n" + printed;
    const auto plan_again = parse_ledger(printed, again, "AGAIN");
    if ((plan_again ? print(*plan_again) : print(*again)) != printed) return "no fixed point:\n" + printed;
  } catch (const Error& e) {
    return std::string("what was printed is refused: ") + e.what() + "\n" + printed;
  }
  return "";
}

}  // namespace oxbow::test
