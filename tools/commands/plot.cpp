// oxbow plot: histories drawn, several runs on one axis.
#include "history/plot.h"

#include <filesystem>

#include "commands/cli.h"

namespace oxbow::tools {
namespace {

struct PlotCommand {
  std::vector<std::string> files;
  std::string out;
  HistoryPlot how;
};

// "sgd" of sgd/history.csv, "losses" of losses.csv.
std::string run_name(const std::string& path) {
  const std::filesystem::path p(path);
  return p.stem() == "history" && p.has_parent_path() ? p.parent_path().filename().string() : p.stem().string();
}

int run_plot(const PlotCommand& o) {
  std::vector<RunHistory> runs;
  for (const std::string& file : o.files) runs.push_back({run_name(file), file, read_table(file)});
  const Plot drawn = plot(runs, o.how);
  write_out(o.out, is_page(o.out) ? page(drawn) : svg(drawn));
  return 0;
}

}  // namespace

Command plot_command(CLI::App& program) {
  auto o = std::make_shared<PlotCommand>();
  CLI::App* p = program.add_subcommand("plot", "Draw histories, several runs on one axis");
  p->footer(
      "Examples:\n"
      "  oxbow plot out/history.csv -o loss.svg\n"
      "  oxbow plot small/history.csv good/history.csv large/history.csv -o rates.html   three runs overlaid\n"
      "  oxbow plot out/history.csv --column loss learning_rate -o both.svg\n"
      "  oxbow plot out/history.csv --column 'gradient_norm*' 'update_ratio*' -o norms.html   of train --record norms");
  p->add_option("history", o->files, "CSV or JSON: see tools/docs/tutorial.md")->required();
  p->add_option("--column", o->how.columns, "what to draw, a panel each; with * all columns that match, in one panel")
      ->capture_default_str();
  p->add_option("--title", o->how.title, "of the picture; default: the columns");
  p->add_option("--smooth", o->how.smooth, "mean over so many steps; 1: none; default: a fiftieth of the run")
      ->check(CLI::Range(1, 1'000'000'000));
  p->add_flag("--linear", o->how.linear, "losses on a linear axis");
  p->add_option("-o,--out", o->out, "a file, .svg or .html; default: SVG to standard output")->check(picture_file);
  return {p, [o] { return run_plot(*o); }};
}

}  // namespace oxbow::tools
