#include "dump/explain.h"

#include "commands/cli.h"
#include "commands/load.h"

namespace oxbow::tools {
namespace {

struct ExplainCommand {
  std::string graph, value, out;
  CompilingOptions compiling;
};

int run_explain(const ExplainCommand& o) {
  const Loaded loaded = load(o.graph);
  const bool as_planned = loaded.plan && !o.compiling.given();
  write_out(o.out,
            explain(*loaded.graph, o.value, o.compiling.read(*loaded.graph), as_planned ? &*loaded.plan : nullptr));
  return 0;
}

}  // namespace

Command explain_command(CLI::App& program) {
  auto o = std::make_shared<ExplainCommand>();
  CLI::App* e =
      program.add_subcommand("explain", "Tell all about one value: who made it, who reads it, why it is kept, where");
  e->footer(
      "Examples:\n"
      "  oxbow explain mnist_mlp loss           by an output's name\n"
      "  oxbow explain mnist_mlp dense/kernel   by its own\n"
      "  oxbow explain mnist_mlp %4             by its label in the dump");
  e->add_option("graph", o->graph, "an example (" + example_names() + ") or a file with a graph or a plan")->required();
  e->add_option("value", o->value, "a name, or a label as the dump shows it")->required();
  e->add_option("-o,--out", o->out, "a file; default: standard output");
  o->compiling.add_to(*e);
  return {e, [o] { return run_explain(*o); }};
}

}  // namespace oxbow::tools
