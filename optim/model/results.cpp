// What training and evaluation give: numbers by name, and the history of a training.
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/optim/fit.h>

#include <algorithm>
#include <ostream>

namespace oxbow {
using namespace internal;

void Results::add(std::string name, double value) { entries_.emplace_back(std::move(name), value); }

double Results::operator[](std::string_view name) const {
  for (const auto& [own, value] : entries_)
    if (own == name) return value;
  std::vector<std::string> known;
  for (const auto& [own, value] : entries_) known.push_back(own);
  throw Error("there is no result " + in_quotes(name) + ". There are " + (known.empty() ? "none" : quoted(known)));
}

std::string to_string(const Results& results) {
  std::string text;
  for (const auto& [name, value] : results.entries())
    text += (text.empty() ? "" : ", ") + escaped(name) + " " + short_number(value);
  return text;
}

std::ostream& operator<<(std::ostream& out, const Results& results) { return out << to_string(results); }

bool Results::contains(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(), [name](const auto& e) { return e.first == name; });
}

std::vector<double> History::operator[](std::string_view name) const {
  std::vector<double> values;
  for (const Epoch& e : epochs) values.push_back(e.results[name]);
  return values;
}

const std::vector<double>& History::steps(std::string_view name) const {
  std::vector<std::string> known;
  for (const StepSeries& s : recorded) {
    if (s.name == name) return s.values;
    known.push_back(s.name);
  }
  throw Error("there is no " + in_quotes(name) + " of each step. " +
              (known.empty() ? "Compile the model with {.minimize = {.norms = true}} to have norms recorded"
                             : "There are " + quoted(known)));
}

}  // namespace oxbow
