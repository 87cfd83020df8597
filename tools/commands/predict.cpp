// oxbow predict, oxbow info: an exported model on data from a file, and what such a model is.
#include <fmt/format.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/optim/saved_model.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>

#include "commands/cli.h"
#include "commands/data.h"

namespace oxbow::tools {
using namespace internal;

namespace {

struct PredictCommand {
  std::string model, data, out;
  std::int64_t batch_size = 256;
  int threads = 0;
};

int predict(const PredictCommand& o) {
  const SavedModel model = load_model(o.model, {.pool = o.threads > 0 ? Pool(o.threads) : Pool::shared()});
  const Tensor predictions = model.predict(read_model_data(model, o.data, false), o.batch_size);
  if (o.out.ends_with(".safetensors"))
    save_safetensors(o.out, {{{"predictions", predictions}}, {}});
  else
    write_out(o.out, to_csv(model.table(predictions)));
  return 0;
}

// At most ten of them.
std::string some(const std::vector<std::string>& names) {
  constexpr std::size_t most = 10;
  const std::vector<std::string> first(names.begin(),
                                       names.begin() + static_cast<std::ptrdiff_t>(std::min(most, names.size())));
  return quoted(first) + (names.size() > most ? fmt::format(" and {} more", names.size() - most) : "");
}

int info(const std::string& path) {
  const SavedModel model = load_model(path);
  say("{}: an exported model, version 1, its checksum holds\n", path);
  for (const ops::Input& in : model.inputs())
    say("  input       {}  {}{}\n", escaped(in.name), name(in.type.dtype), declared_shape(in));
  ops::Input out{.name = "predictions", .type = model.output(), .free_axes = {}};
  for (int axis = 0; axis < out.type.shape.rank(); ++axis)
    if (model.output_is_free(axis)) out.free_axes.push_back(axis);
  say("  prediction  {}{}\n", name(out.type.dtype), declared_shape(out));
  if (const auto& columns = model.columns()) {
    say("  columns     {}\n", some(columns->inputs()));
    if (!columns->target().empty()) say("  target      {}\n", in_quotes(columns->target()));
  }
  if (!model.labels().empty()) say("  labels      {}\n", some(model.labels()));
  std::int64_t numbers = 0;
  const std::vector<Value> all = variables(model.graph(), false);
  for (const Value& v : all) numbers += v.type().count();
  say("  {} numbers in {} variables, {} nodes\n", numbers, all.size(), model.graph().size());
  return 0;
}

}  // namespace

Command predict_command(CLI::App& program) {
  auto o = std::make_shared<PredictCommand>();
  CLI::App* c = program.add_subcommand("predict", "Predict by an exported model, for each row of a file");
  c->footer(
      "Examples:\n"
      "  oxbow predict flats.oxb --data new.csv -o rents.csv     a table, by the columns that it was trained on\n"
      "  oxbow predict net.oxb --data inputs.safetensors         tensors, by the names of its inputs; .npz as well\n"
      "Model::export_model writes models; oxbow info shows what one reads.");
  c->add_option("model", o->model, "a file that Model::export_model wrote")->required();
  c->add_option("--data", o->data, "a CSV file, FILE.safetensors or FILE.npz")->required();
  c->add_option("-o,--out", o->out, "a CSV file, or FILE.safetensors; standard output without it");
  c->add_option("--batch-size", o->batch_size, "rows at once")
      ->check(positive, "greater than 0")
      ->capture_default_str();
  add_threads(*c, o->threads, "threads to predict on");
  return {c, [o] { return predict(*o); }};
}

Command info_command(CLI::App& program) {
  auto path = std::make_shared<std::string>();
  CLI::App* c = program.add_subcommand("info", "Say what an exported model reads and predicts");
  c->footer("Example:\n  oxbow info flats.oxb");
  c->add_option("model", *path, "a file that Model::export_model wrote")->required();
  return {c, [path] { return info(*path); }};
}

}  // namespace oxbow::tools
