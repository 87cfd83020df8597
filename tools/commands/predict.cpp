// oxbow predict, oxbow info: an exported model on data from a file, and what such a model is.
#include <fmt/format.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/optim/saved_model.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <charconv>

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

// The double with the digits that a float is printed with: 0.1, where the float is 0.10000000149.
template <class T>
double as_printed(T value) {
  if constexpr (std::is_same_v<T, float>) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    double same = value;
    std::from_chars(digits, end, same);
    return same;
  } else {
    return static_cast<double>(value);
  }
}

// A row a sample: the label of the largest number and the numbers by label, or the numbers alone.
oxbow::Table table_of(const Tensor& predictions, const SavedModel& model) {
  const std::int64_t rows = predictions.shape()[0], width = rows > 0 ? predictions.count() / rows : 0;
  const std::vector<std::string>& labels = model.labels();
  const bool classes = !labels.empty() && width == std::ssize(labels);
  const std::string target =
      model.columns() && !model.columns()->target().empty() ? model.columns()->target() : "prediction";
  std::vector<TableColumn> columns;
  TableColumn best{.name = target, .type = ColumnType::text, .categories = labels};
  for (std::int64_t c = 0; c < width; ++c) {
    const auto i = static_cast<std::size_t>(c);
    const std::string own = classes ? target + "=" + labels[i] : width == 1 ? target : fmt::format("{}_{}", target, c);
    TableColumn& column = columns.emplace_back(TableColumn{.name = own, .type = ColumnType::numbers});
    dispatch(predictions.dtype(), [&]<class T>(std::type_identity<T>) {
      for (std::int64_t row = 0; row < rows; ++row)
        column.numbers.push_back(as_printed(predictions.data<T>()[row * width + c]));
    });
  }
  if (classes) {
    for (std::int64_t row = 0; row < rows; ++row) {
      std::size_t largest = 0;
      for (std::size_t c = 1; c < columns.size(); ++c)
        if (columns[c].number(row) > columns[largest].number(row)) largest = c;
      best.codes.push_back(static_cast<std::int32_t>(largest));
    }
    columns.insert(columns.begin(), std::move(best));
  }
  return oxbow::Table(std::move(columns), "the predictions");
}

int predict(const PredictCommand& o) {
  const SavedModel model = load_model(o.model, {.pool = o.threads > 0 ? Pool(o.threads) : Pool::shared()});
  const Tensor predictions = model.predict(read_model_data(model, o.data, false), o.batch_size);
  if (o.out.ends_with(".safetensors"))
    save_safetensors(o.out, {{{"predictions", predictions}}, {}});
  else
    write_out(o.out, to_csv(table_of(predictions, model)));
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
  say("  prediction  {}\n", to_string(model.output()));
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
