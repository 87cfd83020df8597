#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/graph/text.h>

#include <algorithm>
#include <map>

#include "diff/diff.h"
#include "dump/style.h"

namespace oxbow::tools {

std::string shown(std::string_view name) {
  const bool obeyed = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  return obeyed ? print(AttrValue(std::string(name))) : std::string(name);
}

std::string node_line(Node n) {
  std::string out =
      (n.output_count() > 0 ? label(n.output()) : "%" + std::to_string(n.id())) + " = " + shown(n.op().name());
  for (int k = 0; k < n.input_count(); ++k) out += (k == 0 ? "(" : ", ") + label(n.input(k));
  if (n.input_count() > 0) out += ")";
  if (const AttrRecord attributes = n.op().attributes(); !attributes.empty())
    out += " " + dots::shortened(print(AttrValue(attributes)), 100);
  return out + " : " + (n.output_count() == 0 ? "none" : to_string(n.output_types()));
}

std::string diff_text(const Difference& d, const Graph& a, const Graph& b) {
  return internal::while_memory_lasts("writing a difference", [&]() -> std::string {
    if (d.same()) return "";
    std::string out;
    // In the order of b; a removed node is listed where it was.
    std::size_t changed = 0;
    NodeId i = 0;
    std::map<NodeId, const Difference::Pair*> changes;
    for (const auto& pair : d.changed) changes[pair.b] = &pair;
    const auto removed_until = [&](NodeId end) {
      for (; i < end; ++i)
        if (d.b_of_a[at(i)] < 0) out += "- " + node_line(a.node(i)) + "\n";
    };
    for (NodeId j = 0; j < b.size(); ++j) {
      const NodeId of = d.a_of_b[at(j)];
      if (of < 0) {
        out += "+ " + node_line(b.node(j)) + "\n";
        continue;
      }
      if (of >= i) removed_until(of + 1);
      if (const auto change = changes.find(j); change != changes.end()) {
        out += "~ " + node_line(b.node(j)) + "\n";
        for (const std::string& what : change->second->what) out += "    " + what + "\n";
        ++changed;
      }
    }
    removed_until(a.size());
    for (const auto& [before, now] : d.renamed) out += "> " + shown(before) + " -> " + shown(now) + "\n";
    for (const std::string& note : d.notes) out += "! " + note + "\n";
    const std::size_t same = at(b.size()) - d.added.size() - d.changed.size();
    return out + "= " + std::to_string(same) + " nodes the same, " + std::to_string(d.added.size()) + " added, " +
           std::to_string(d.removed.size()) + " removed, " + std::to_string(changed) + " changed, " +
           std::to_string(d.renamed.size()) + " renamed\n";
  });
}

}  // namespace oxbow::tools
