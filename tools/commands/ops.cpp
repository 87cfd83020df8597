// `oxbow ops`: the reference of all ops.
#include "reference/ops.h"

#include <oxbow/graph/error.h>
#include <oxbow/graph/support/near_names.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "commands/cli.h"

namespace oxbow::tools {
namespace {

struct OpsCommand {
  std::vector<std::string> names;
  bool internal = false, markdown = false;
  std::string out;
};

int run_ops(const OpsCommand& o) {
  std::vector<OpReference> ops = op_references(o.internal || !o.names.empty());
  if (!o.names.empty()) {
    std::vector<std::string> known;
    for (const OpReference& op : ops) known.push_back(op.name);
    for (const std::string& name : o.names)
      if (std::find(known.begin(), known.end(), name) == known.end())
        throw Error("there is no op " + internal::in_quotes(name) + "." + internal::did_you_mean(name, known) +
                    "\nRun oxbow ops to see what there is");
    std::erase_if(ops, [&](const OpReference& op) {
      return std::find(o.names.begin(), o.names.end(), op.name) == o.names.end();
    });
  }
  write_out(o.out, o.markdown ? as_markdown(ops) : as_text(ops));
  return 0;
}

}  // namespace

Command ops_command(CLI::App& program) {
  auto o = std::make_shared<OpsCommand>();
  CLI::App* ops = program.add_subcommand("ops", "List ops: inputs, formula, an example, dtypes, gradient");
  ops->footer(
      "Examples:\n"
      "  oxbow ops                              all that a graph is built with\n"
      "  oxbow ops matmul softmax               two of them\n"
      "  oxbow ops --internal                   those that differentiation and lowering make as well\n"
      "  oxbow ops --markdown -o ops.md         a page with a table");
  ops->add_option("names", o->names, "which ones, as graphs print them; default: all that users build");
  ops->add_flag("--internal", o->internal, "those that `gradients` and passes make, too");
  ops->add_flag("--markdown", o->markdown, "a page with a table");
  ops->add_option("-o,--out", o->out, "a file; default: standard output");
  return {ops, [o] { return run_ops(*o); }};
}

}  // namespace oxbow::tools
