// What training tells while it goes on.
#include <oxbow/optim/model/state.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <utility>

namespace oxbow {

namespace {

using ProgressClock = std::chrono::steady_clock;

double seconds_since(ProgressClock::time_point start) {
  return std::chrono::duration<double>(ProgressClock::now() - start).count();
}

// "47 s", "3:05", "2:00:09".
std::string clock_text(double seconds) {
  const auto s = static_cast<std::int64_t>(std::ceil(std::min(seconds, 1e9)));
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3600) return std::to_string(s / 60) + ":" + two(s % 60);
  return std::to_string(s / 3600) + ":" + two(s / 60 % 60) + ":" + two(s % 60);
}

std::string heading(const Progress& p) { return "epoch " + std::to_string(p.epoch) + "/" + std::to_string(p.epochs); }

// How often to tell, and where.
struct Manner {
  std::ostream& out;
  double seconds;          // between lines
  bool terminal;           // a bar between them
  bool short_ones = true;  // a line for each epoch, however short
};

// Since when this epoch goes on here, and since when nothing was told.
struct Telling {
  ProgressClock::time_point start, told, line = ProgressClock::now();
  std::int64_t first = 0;  // the step that the epoch had come to then
  int epoch = 0;
  bool drawn = false;
};

std::string line_of(const Progress& p, const Telling& t, bool bar) {
  std::string line = heading(p) + " ";
  if (bar) {
    constexpr std::int64_t width = 30;
    const std::int64_t filled = p.step * width / p.steps;
    line += "[" + std::string(static_cast<std::size_t>(filled), '#') +
            std::string(static_cast<std::size_t>(width - filled), '-') + "] ";
  }
  line += std::to_string(p.step) + "/" + std::to_string(p.steps);
  if (p.step > t.first)
    line += ", " +
            clock_text(seconds_since(t.start) / static_cast<double>(p.step - t.first) *
                       static_cast<double>(p.steps - p.step)) +
            " left";
  Results results;
  for (std::size_t i = 0; i < p.means.size(); ++i) results.add(p.names[i], p.means[i]);
  return line + ": " + to_string(results);
}

Callback progress(const Manner& how) {
  auto telling = std::make_shared<Telling>();
  constexpr double redrawn = 0.1;  // seconds: quicker is not seen
  const auto clear = [how, telling] {
    if (std::exchange(telling->drawn, false)) how.out << "\r\x1b[K" << std::flush;
  };
  return {.on_step =
              [how, telling](Progress& p) {
                Telling& t = *telling;
                if (t.epoch != p.epoch || p.step <= t.first) {
                  t.start = t.told = ProgressClock::now();
                  t.epoch = p.epoch;
                  t.first = p.step;  // the first step's time, with what is made once, does not count
                  return;
                }
                if (p.step == p.steps || seconds_since(t.told) < (how.terminal ? redrawn : how.seconds)) return;
                if (!how.short_ones && !t.drawn && seconds_since(t.line) < how.seconds) return;
                t.told = ProgressClock::now();
                t.drawn = how.terminal;
                if (!how.terminal) t.line = t.told;
                if (how.terminal)
                  how.out << "\r" << line_of(p, t, true) << "\x1b[K" << std::flush;
                else
                  how.out << line_of(p, t, false) << std::endl;
              },
          .on_epoch =
              [how, telling, clear](Progress& p) {
                clear();
                if (!how.short_ones && seconds_since(telling->line) < how.seconds) return;
                telling->line = ProgressClock::now();
                const Epoch& e = p.history.epochs.back();
                how.out << heading(p) << ", " << clock_text(e.seconds) << ": " << e.results << std::endl;
              },
          .on_end = [clear](Progress&) { clear(); },
          .prints = true};
}

bool on_terminal() { return isatty(STDERR_FILENO) == 1; }

}  // namespace

Callback optim::internal::default_progress() {
  const bool terminal = on_terminal();
  return progress({std::cerr, terminal ? 1.0 : 10.0, terminal, false});
}

Callback print_epochs(std::ostream& out) {
  const auto print = [&out](Progress& p) {
    out << "epoch " << p.epoch << ": " << p.history.epochs.back().results << std::endl;
  };
  return {.on_epoch = print, .prints = true};
}
Callback print_epochs() { return print_epochs(std::cout); }

Callback print_progress(std::ostream& out, double seconds) { return progress({out, seconds, false}); }
Callback print_progress(double seconds) { return progress({std::cerr, seconds, on_terminal()}); }

}  // namespace oxbow
