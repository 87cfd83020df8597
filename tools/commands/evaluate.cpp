// oxbow evaluate: how good an exported model is on data whose truth is known.
#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/metrics.h>
#include <oxbow/optim/saved_model.h>

#include <algorithm>
#include <filesystem>

#include "commands/cli.h"
#include "commands/data.h"
#include "plot/plot.h"

namespace oxbow::tools {
using namespace internal;

namespace {

struct EvaluateCommand {
  std::string model, data, truth, out;
  std::int64_t batch_size = 256, k = 5;
  int threads = 0;
};

// The column of the data that is no input: what the predictions are compared with.
std::string truth_of(const EvaluateCommand& o, const SavedModel& model, const Dataset& data) {
  if (!o.truth.empty()) return o.truth;
  std::vector<std::string> others;
  for (const std::string& name : data.names())
    if (std::none_of(model.inputs().begin(), model.inputs().end(), [&](const auto& in) { return in.name == name; }))
      others.push_back(name);
  if (others.size() == 1) return others[0];
  throw Error(o.data + (others.empty() ? " has no column beside the model's inputs to compare predictions with. " +
                                             std::string("Give data with the truth")
                                       : " has several columns that are no inputs: " + quoted(others) +
                                             ". Say which is the truth: --truth NAME"));
}

template <class Picture>
void draw_picture(const std::string& path, const Picture& picture) {
  if (!path.empty()) write_out(path, is_page(path) ? page(picture) : svg(picture));
}

int evaluate(const EvaluateCommand& o) {
  const SavedModel model = load_model(o.model, {.pool = o.threads > 0 ? Pool(o.threads) : Pool::shared()});
  if (model.columns() && model.columns()->target().empty() && o.data.ends_with(".csv"))
    throw Error("the model was exported without a target, so a table does not say what is true. Give tensors: " +
                std::string("--data FILE.npz"));
  const Dataset data = read_model_data(model, o.data, true);
  const Tensor& truth = data[truth_of(o, model, data)];
  const Tensor predictions = model.predict(data, o.batch_size);
  const std::string title =
      std::filesystem::path(o.model).filename().string() + " on " + std::filesystem::path(o.data).filename().string();
  if (is_float(truth.dtype())) {
    say("{}", to_string(regression_report(predictions, truth)));
    draw_picture(o.out, predictions_against_truth(predictions, truth, title));
    return 0;
  }
  const ClassificationReport report = classification_report(predictions, truth, {.k = o.k, .labels = model.labels()});
  say("{}", to_string(report));
  std::vector<std::string> labels;
  for (const ClassMetrics& c : report.classes) labels.push_back(c.label);
  draw_picture(o.out, Confusion{title, labels, report.confusion});
  return 0;
}

}  // namespace

Command evaluate_command(CLI::App& program) {
  auto o = std::make_shared<EvaluateCommand>();
  CLI::App* c = program.add_subcommand("evaluate", "Say how good an exported model is on data from a file");
  c->footer(
      "Examples:\n"
      "  oxbow evaluate flats.oxb --data test.csv -o rents.svg   errors and R2, and predictions against the truth\n"
      "  oxbow evaluate kinds.oxb --data test.csv -o kinds.html  accuracy, precision, recall, F1, AUC; who is taken "
      "for whom\n"
      "  oxbow evaluate net.oxb --data test.npz --truth label    arrays by the names of its inputs, and the truth\n"
      "What is true decides: whole numbers and texts are classes, other numbers a regression.");
  c->add_option("model", o->model, "a file that Model::export_model wrote")->required();
  c->add_option("--data", o->data, "a CSV file, FILE.safetensors or FILE.npz, with the truth")->required();
  c->add_option("--truth", o->truth, "its array; default: the one that is no input");
  c->add_option("-k,--top", o->k, "of top-k accuracy")->check(positive, "greater than 0")->capture_default_str();
  c->add_option("-o,--out", o->out, "a picture, .svg or .html")->check(picture_file);
  c->add_option("--batch-size", o->batch_size, "rows at once")
      ->check(positive, "greater than 0")
      ->capture_default_str();
  add_threads(*c, o->threads, "threads to predict on");
  return {c, [o] { return evaluate(*o); }};
}

}  // namespace oxbow::tools
