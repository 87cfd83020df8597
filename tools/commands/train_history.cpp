#include "commands/train_history.h"

#include <fmt/format.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/runtime/files/input_file.h>

#include <algorithm>
#include <cmath>

#include "text_file.h"

namespace oxbow::tools {

namespace {

// The numbers from 1 to `last` that `steps`, which rise, do not have: "4, 7 to 12".
std::string missing_steps(const std::vector<double>& steps, std::int64_t last) {
  constexpr std::size_t most_shown = 10;  // gaps
  std::vector<std::string> gaps;
  std::int64_t next = 1;
  const auto gap_before = [&](std::int64_t step) {
    if (step == next + 1) gaps.push_back(fmt::format("{}", next));
    if (step > next + 1) gaps.push_back(fmt::format("{} to {}", next, step - 1));
    next = step + 1;
  };
  for (const double step : steps) gap_before(static_cast<std::int64_t>(step));
  gap_before(last + 1);
  if (gaps.size() > most_shown) {
    gaps.resize(most_shown);
    gaps.emplace_back("...");
  }
  return internal::listed(gaps);
}

}  // namespace

ResumedHistory resumed_history(const std::string& path, std::int64_t minibatches) {
  if (minibatches == 0) return {};
  std::string text = internal::something_at(path) ? read_regular_text(path, internal::limits::history_bytes) : "";
  text.resize(text.rfind('\n') + 1);  // a line without an end was cut short, wherever that was
  const std::size_t header = text.find_first_not_of(" \t\r\n");
  if (header == std::string::npos || text.find_first_not_of(" \t\r\n", text.find('\n', header)) == std::string::npos)
    return {{}, missing_steps({}, minibatches)};
  Table t = parse_table(text, path);
  const auto* steps = t.find("step");
  const auto refuse = [&](const std::string& problem) {
    throw Error(path + " " + problem + ", so it is not a training history\n  Move it to another place");
  };
  if (!t.texts.empty()) throw Error(t.texts.front().first_text + "\n  Move the file to another place");
  if (steps == nullptr) refuse("has no column \"step\"");
  const auto done = [&](double step) { return step <= static_cast<double>(minibatches); };
  const auto rows = std::find_if_not(steps->begin(), steps->end(), done) - steps->begin();
  const std::vector<double> kept(steps->begin(), steps->begin() + rows);
  double before = 0;
  for (const double step : kept) {
    if (!(step > before) || step != std::floor(step)) refuse("has steps that do not rise");
    before = step;
  }
  if (rows == 0) return {{}, missing_steps({}, minibatches)};  // as of a header alone
  for (auto& column : t.values) column.resize(static_cast<std::size_t>(rows));
  return {std::move(t), missing_steps(kept, minibatches)};
}

}  // namespace oxbow::tools
