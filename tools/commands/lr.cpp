// oxbow lr: find a learning rate, judge one by its loss curve, see what one does.
#include <fmt/format.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/oxbow.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "commands/cli.h"
#include "commands/data.h"
#include "commands/load.h"
#include "commands/subject.h"
#include "history/file.h"
#include "plot/plot.h"

namespace oxbow::tools {
namespace {

int judge(const std::vector<std::string>& files, const std::string& column) {
  for (const std::string& file : files) {
    const std::vector<double> curve = losses(read_table(file), file, column);
    const optim::Judgement j = [&] {
      try {
        return optim::judge(curve);
      } catch (const Error& e) {
        throw Error(file + ": " + e.what());
      }
    }();
    say("{}{}", files.size() > 1 ? file + ": " : "", to_string(j));
  }
  return 0;
}

struct Find {
  std::string net = "mnist_mlp", data = "tools/data/mnist10k", optimizer = "adam", out = "lr.svg";
  std::vector<std::string> fields;
  optim::RateRangeOptions range = {.batch_size = 64};
};

// All parameters of an ONNX file.
std::vector<std::string> all_of(const std::string& net) {
  return is_onnx_file(net) ? std::vector<std::string>{"*"} : std::vector<std::string>{};
}

int find(const Find& o) {
  const Data data = read_data(o.net, o.data);
  const Subject subject = read_subject(o.net, all_of(o.net), data.train);
  Model model = compile(subject.loss, read_optimizer(o.optimizer, o.fields), {.store = subject.parameters});
  const std::string optimizer = optimizer_title(o.optimizer, o.fields);
  const optim::RateRange r = optim::find_rate(model, data.train, o.range);

  struct Suggestion {
    const char* name;
    double rate;
    const char* what;
  };
  std::vector<Suggestion> found;
  if (r.fell)
    found = {{"minimum/10", r.minimum_tenth, "a tenth of the lowest loss's rate: the first to try"},
             {"steepest", r.steepest, "where the loss falls fastest: bold"},
             {"valley", r.valley, "in the middle of the longest fall: careful"},
             {"slide", r.slide, "left of the slope's last change"}};
  say("{} with {}: {} steps, rates {:.3g} to {:.3g}{}\n", o.net, optimizer, r.rates.size(), r.rates.front(),
      r.rates.back(), r.diverged ? ", where the loss broke down" : "");
  for (const Suggestion& s : found)
    say("  {:<11} {:.2e}  {}{}\n", s.name, s.rate, s.what,
        s.rate < o.range.lowest ? "; below --lowest, so the test did not try it" : "");
  Plot plot{.title = fmt::format("{}, {}: loss over the learning rate", o.net, optimizer),
            .x_label = "learning rate",
            .panels = {{.y_label = "loss",
                        .series = {{.name = "a step's", .x = r.rates, .y = r.losses, .faint = true},
                                   {.name = "smoothed", .x = r.rates, .y = r.smoothed}}}},
            .log_x = true,
            .marks = {}};
  // Where the loss breaks down it leaves the picture: what lies before is what is looked for.
  const double ceiling = r.smoothed.front() + 0.5 * std::abs(r.smoothed.front());
  for (Series& s : plot.panels[0].series)
    for (double& v : s.y)
      if (v > ceiling) v = std::numeric_limits<double>::quiet_NaN();
  for (const Suggestion& s : found) plot.marks.push_back({s.rate, s.name});
  write_out(o.out, is_page(o.out) ? page(plot) : svg(plot));
  std::string set;
  for (const std::string& field : o.fields) set += " --set " + field;
  say("picture: {}\n", o.out);
  if (r.fell)
    say("Try one: oxbow train {} --optimizer {}{} --learning-rate {:.2g}\n", o.net, o.optimizer, set, r.minimum_tenth);
  else
    say("No rate made the loss fall by more than its noise and 1 %, so none is suggested. Test other rates (--lowest,\n"
        "--highest), more --steps, or a larger --batch-size; where the loss stays then, try another optimizer, and "
        "see\nwhether labels belong to inputs and gradients arrive.\n");
  return 0;
}

// Examples that make their data need none.
bool has_inputs(const std::string& net) {
  const auto graph = load_training(net);
  for (NodeId i = 0; i < graph->size(); ++i)
    if (graph->node(i).op().is<ops::Input>()) return true;
  return false;
}

struct SharpnessCommand {
  std::string net = "mnist_mlp", data = "tools/data/mnist10k", parameters;
  std::int64_t samples = 256;
  optim::SharpnessOptions options = {};
};

int sharpness(const SharpnessCommand& o) {
  const Dataset data = has_inputs(o.net) ? read_data(o.net, o.data).train : Dataset();
  const Subject subject = read_subject(o.net, all_of(o.net), data);
  Model model = compile(subject.loss, optim::SGD{}, {.store = subject.parameters});
  if (!o.parameters.empty()) model.load(o.parameters);
  const optim::Curvature c =
      optim::Sharpness(subject.loss).measure(model.store(), first_rows(data, o.samples), o.options);
  say("{}: sharpness {:.4g} after {} products{}\n", o.net, c.largest, c.products,
      c.converged ? "" : ", not converged: give more by --products");
  say("Plain descent is stable for rates below 2 / sharpness = {:.3g} here\n", c.highest_rate());
  return 0;
}

struct PathCommand {
  std::vector<double> rates = {0.01, 0.1, 0.19};
  std::vector<std::string> optimizers = {"sgd"};
  int steps = 25;
  double curvature = 10;
  std::string out;
};

// Descends f(a, b) = (a^2 + c b^2) / 2 from (-4.5, 1.6), as a graph that runs. Plain descent is stable for rates up to
// 2 / c.
Path descend(const PathCommand& o, const std::string& optimizer, double rate) {
  Graph g;
  const Value a = variable(g, "a", {f64, {}}, {.kind = Init::Kind::constant, .a = -4.5});
  const Value b = variable(g, "b", {f64, {}}, {.kind = Init::Kind::constant, .a = 1.6});
  const Value loss = 0.5 * (square(a) + o.curvature * square(b));
  const auto with = optim::Optimizer(optimizer, Location{}).with("learning_rate", to_attr(rate));
  Store store;
  const optim::Minimized step = optim::minimize(loss, with);
  store.add(g);
  Session session(compile(step.fetches()), store);
  Path p{.name = fmt::format("{}rate {}", o.optimizers.size() > 1 ? optimizer + ", " : "", rate), .x = {}, .y = {}};
  for (int i = 0; i <= o.steps; ++i) {
    p.x.push_back(store.get("a").item<double>());
    p.y.push_back(store.get("b").item<double>());
    session.run();
  }
  return p;
}

int draw_paths(const PathCommand& o) {
  Surface s{.title = fmt::format("Descents on (a² + {:g} b²) / 2", o.curvature),
            .x_label = "a",
            .y_label = "b",
            .height = [c = o.curvature](double a, double b) { return 0.5 * (a * a + c * b * b); },
            .left = -5,
            .right = 2.5,
            .bottom = -2.2,
            .top = 2.2,
            .paths = {}};
  for (const std::string& optimizer : o.optimizers)
    for (const double rate : o.rates) s.paths.push_back(descend(o, optimizer, rate));
  write_out(o.out, is_page(o.out) ? page(s) : svg(s));
  return 0;
}

}  // namespace

Command lr_command(CLI::App& program) {
  CLI::App* lr = program.add_subcommand("lr", "Learning rates: find one, judge one, see what one does");
  lr->require_subcommand(1);
  lr->footer(
      "Examples:\n"
      "  oxbow lr find mnist_mlp --optimizer sgd      suggestions from a range test, and its curve\n"
      "  oxbow lr judge out/history.csv               what a run's loss curve says about its rate\n"
      "  oxbow lr sharpness mnist_mlp                 the largest curvature, and the highest stable rate\n"
      "  oxbow lr path --rate 0.01 0.1 0.19 -o p.svg  descents on a surface of two parameters");

  auto files = std::make_shared<std::vector<std::string>>();
  auto column = std::make_shared<std::string>();
  CLI::App* j = lr->add_subcommand(
      "judge", "Name what a loss curve shows: diverging, overshot, oscillating, too slow, plateau, healthy");
  j->footer(
      "Examples:\n"
      "  oxbow lr judge out/history.csv               a history that training wrote\n"
      "  oxbow lr judge losses.csv                    columns step and loss, or losses alone; JSON lists too\n"
      "  oxbow lr judge trainer_state.json            what other tools wrote: Hugging Face, Lightning, TensorBoard's "
      "CSV\n"
      "  oxbow lr judge log.csv --column train/ce     another column");
  j->add_option("history", *files, "CSV or JSON with a column of losses")->required();
  j->add_option("--column", *column, "of the losses; default: loss, or what other tools call it");

  auto f = std::make_shared<Find>();
  CLI::App* find_app =
      lr->add_subcommand("find", "A short mock training with a growing rate, and which rate it suggests");
  find_app->footer(
      "Examples:\n"
      "  oxbow lr find                                mnist_mlp with Adam\n"
      "  oxbow lr find mnist_cnn --optimizer sgd -o sgd.html\n"
      "  oxbow lr find net.txt --data train.csv       a graph that print(graph) wrote, on samples of your own");
  find_app->add_option("net", f->net, "an example, or a file: a graph, an ONNX or an exported model")
      ->capture_default_str();
  find_app->add_option("--data", f->data, data_help)->capture_default_str();
  add_optimizer(*find_app, f->optimizer, f->fields);
  find_app->add_option("--lowest", f->range.lowest, "rate")->capture_default_str();
  find_app->add_option("--highest", f->range.highest, "rate")->capture_default_str();
  find_app->add_option("--steps", f->range.steps, "of the test")->capture_default_str();
  find_app->add_option("--batch-size", f->range.batch_size, "samples a step")->capture_default_str();
  find_app->add_option("--seed", f->range.seed, "of the order of the samples")->check(seed)->capture_default_str();
  find_app->add_option("-o,--out", f->out, "picture: .svg, or .html with values under the pointer")
      ->check(picture_file)
      ->capture_default_str();

  auto s = std::make_shared<SharpnessCommand>();
  CLI::App* sharp = lr->add_subcommand(
      "sharpness", "The Hessian's largest eigenvalue, and 2 / it: the highest rate of plain descent");
  sharp->footer(
      "Examples:\n"
      "  oxbow lr sharpness                           mnist_mlp with its first weights\n"
      "  oxbow lr sharpness mnist_mlp --parameters out/parameters.safetensors");
  sharp->add_option("net", s->net, "an example, or a file: a graph, an ONNX or an exported model")
      ->capture_default_str();
  sharp->add_option("--data", s->data, data_help)->capture_default_str();
  sharp->add_option("--parameters", s->parameters, "that training wrote; default: the first ones");
  sharp->add_option("--samples", s->samples, "over which the loss is the mean")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  sharp->add_option("--products", s->options.most_products, "of the Hessian with a vector, at most")
      ->capture_default_str();
  sharp->add_option("--tolerance", s->options.tolerance, "of the eigenvalue, relative")->capture_default_str();

  auto p = std::make_shared<PathCommand>();
  CLI::App* path = lr->add_subcommand("path", "Draw descents on (a^2 + c b^2) / 2, with contour lines and arrows");
  path->footer(
      "Examples:\n"
      "  oxbow lr path -o rates.svg                   three rates of plain descent\n"
      "  oxbow lr path --optimizer sgd adam --rate 0.1 -o both.svg");
  path->add_option("--rate", p->rates, "one or more")->check(positive, "greater than 0")->capture_default_str();
  path->add_option("--optimizer", p->optimizers, "one or more, by name: " + internal::listed(optim::optimizer_names()))
      ->capture_default_str();
  path->add_option("--steps", p->steps, "of each descent")->check(CLI::Range(1, 10000))->capture_default_str();
  path->add_option("--curvature", p->curvature, "c: along b; plain descent diverges from rate 2 / c on")
      ->check(positive, "greater than 0")
      ->capture_default_str();
  path->add_option("-o,--out", p->out, "a file, .svg or .html; default: SVG to standard output")->check(picture_file);

  return {lr, [=] {
            if (j->parsed()) return judge(*files, *column);
            if (sharp->parsed()) return sharpness(*s);
            return find_app->parsed() ? find(*f) : draw_paths(*p);
          }};
}

}  // namespace oxbow::tools
