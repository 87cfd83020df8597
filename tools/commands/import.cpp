// oxbow import: what an ONNX file holds, as a graph and parameters that the other commands read.
#include <fmt/format.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/graph/text.h>
#include <oxbow/onnx.h>

#include <charconv>
#include <filesystem>

#include "commands/cli.h"
#include "commands/load.h"
#include "onnx/larger.h"

namespace oxbow::tools {
using namespace internal;

namespace {

struct ImportCommand {
  std::string file, out;
  std::vector<std::string> train, sizes;
};

std::string type_of(Value v) {
  const auto* input = v.node().op().as<ops::Input>();
  return input ? std::string(name(v.dtype())) + declared_shape(*input) : to_string(v.type());
}

// Types of outputs, in which sizes that follow from open ones are open.
std::vector<std::string> types_of(const Graph& g, const NamedValues& outputs) {
  std::vector<Value> fetches;
  for (const auto& [name, value] : outputs) fetches.push_back(value);
  const auto here = specialise(g, fetches, {}, Mode::inference).graph;
  const auto there = onnx::larger(g, fetches, *here);
  std::vector<std::string> types;
  for (std::size_t i = 0; i < fetches.size(); ++i) {
    const Type& type = here->outputs()[i].second.type();
    ops::Input like{.name = {}, .type = type, .free_axes = {}};
    for (int axis = 0; there && axis < type.shape.rank(); ++axis)
      if (there->outputs()[i].second.shape()[axis] != type.shape[axis]) like.free_axes.push_back(axis);
    types.push_back(std::string(name(type.dtype)) + declared_shape(like));
  }
  return types;
}

int import(const ImportCommand& o) {
  OnnxImportOptions options{.train = o.train};
  for (const std::string& size : o.sizes) {
    const std::size_t equals = size.rfind('=');
    std::int64_t value = 0;
    const char* end = size.data() + size.size();
    if (equals == std::string::npos || std::from_chars(size.data() + equals + 1, end, value).ptr != end)
      throw Error("--size takes NAME=NUMBER, not " + in_quotes(size));
    options.sizes[size.substr(0, equals)] = value;
  }
  Graph g;
  const OnnxModel net = import_onnx(g, o.file, options);
  say("{}: opset {}, written by {}\n", o.file, net.opset, net.producer.empty() ? "nobody" : net.producer);
  for (const auto& [name, value] : net.inputs) say("  input   {}  {}\n", escaped(name), type_of(value));
  const std::vector<std::string> types = types_of(g, net.outputs);
  for (int i = 0; i < net.outputs.size(); ++i)
    say("  output  {}  {}\n", escaped((net.outputs.begin() + i)->first), types[static_cast<std::size_t>(i)]);
  std::int64_t count = 0, trained = 0;
  for (const auto& [name, value] : net.parameters) {
    count += value.type().count();
    if (variable_of(value).trainable) trained += value.type().count();
  }
  say("  {} parameters in {} variables, {} of them trained\n", count, net.parameters.size(), trained);
  std::string operators;
  for (const auto& [name, times] : net.operators)
    operators += fmt::format("{}{} {}", operators.empty() ? "" : ", ", times, name);
  say("  operators: {}\n", operators);
  if (o.out.empty()) return 0;
  for (const auto& [name, value] : net.outputs) g.add_output(name, value);
  std::filesystem::create_directories(o.out);
  const std::filesystem::path folder(o.out);
  write_out((folder / "graph.txt").string(), print(g));
  net.store.save((folder / "parameters.safetensors").string());
  say("wrote {} and {}\n", (folder / "graph.txt").string(), (folder / "parameters.safetensors").string());
  return 0;
}

}  // namespace

Command import_command(CLI::App& program) {
  auto o = std::make_shared<ImportCommand>();
  CLI::App* c = program.add_subcommand("import", "Read a model from an ONNX file, and say what it holds");
  c->footer(
      "Examples:\n"
      "  oxbow import net.onnx                         inputs, outputs, parameters, operators\n"
      "  oxbow import net.onnx --train 'head.*' -o net  graph and parameters, the head to be trained\n"
      "  oxbow run net --parameters net/parameters.safetensors --random --inference\n"
      "oxbow dump, run, explain and others read net.onnx itself as well.");
  c->add_option("file", o->file, "an ONNX file")->required();
  c->add_option("--train", o->train, "names of parameters to be trained: * stands for any text, ? for one character")
      ->allow_extra_args(false);
  c->add_option("--size", o->sizes, "NAME=NUMBER: an example size of an axis that the file leaves open")
      ->allow_extra_args(false);
  c->add_option("-o,--out", o->out, "folder for graph.txt and parameters.safetensors");
  return {c, [o] { return import(*o); }};
}

}  // namespace oxbow::tools
