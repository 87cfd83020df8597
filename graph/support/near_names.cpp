#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>

#include <algorithm>
#include <cstdio>

namespace oxbow::internal {
namespace {

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool begins_with(std::string_view text, std::string_view start) {
  return !start.empty() && text.size() >= start.size() &&
         std::equal(start.begin(), start.end(), text.begin(), [](char a, char b) { return small(a) == small(b); });
}

std::string shown_name(std::string_view name) { return shown(name, limits::shown_name); }

std::string joined(std::span<const std::string> names, std::string (*show)(std::string_view)) {
  std::string text;
  for (const std::string& name : names.first(std::min(names.size(), limits::shown_names)))
    text += (text.empty() ? "" : ", ") + show(name);
  if (names.size() > limits::shown_names)
    text += ", ... (" + std::to_string(names.size() - limits::shown_names) + " more)";
  return text;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), small);
  return out;
}

int edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  // row[j]: from the first i letters of a to the first j of b; above and far_above are those of i - 1 and i - 2.
  std::vector<int> far_above(width), above(width), row(width);
  for (std::size_t j = 0; j < width; ++j) row[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(far_above, above);
    std::swap(above, row);
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j < width; ++j) {
      const auto same = [&](std::size_t p, std::size_t q) { return small(a[p - 1]) == small(b[q - 1]); };
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same(i, j) ? 0 : 1)});
      if (i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j)) row[j] = std::min(row[j], far_above[j - 2] + 1);
    }
  }
  return row.back();
}

std::vector<std::string> near_names(std::string_view wanted, std::span<const std::string> known) {
  std::vector<std::pair<std::size_t, const std::string*>> near;
  std::size_t left = limits::compared_letters;
  for (const std::string& name : known) {
    const std::size_t letters = std::max(wanted.size(), name.size());
    const std::size_t longer = letters - std::min(wanted.size(), name.size());  // so many differ at least
    if (begins_with(name, wanted) || begins_with(wanted, name)) {
      near.emplace_back(longer, &name);
      continue;
    }
    const std::size_t farthest = std::max<std::size_t>(letters, 3) / 3;
    if (longer > farthest || name.size() > left / std::max<std::size_t>(wanted.size(), 1)) continue;
    left -= wanted.size() * name.size();
    const auto distance = static_cast<std::size_t>(edit_distance(wanted, name));
    if (distance <= farthest) near.emplace_back(distance, &name);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (near.size() > 3) near.resize(3);
  std::vector<std::string> names;
  for (const auto& [distance, name] : near) names.push_back(*name);
  return names;
}

std::string did_you_mean(std::string_view wanted, std::span<const std::string> known) {
  const std::vector<std::string> near = near_names(wanted, known);
  std::string text;
  for (std::size_t i = 0; i < near.size(); ++i)
    text += (i == 0 ? "" : i + 1 == near.size() ? " or " : ", ") + in_quotes(near[i]);
  return text.empty() ? text : " Did you mean " + text + "?";
}

std::string no_such(std::string_view what, std::string_view wanted, std::span<const std::string> known) {
  return "there is no " + std::string(what) + " " + in_quotes(wanted) + "." + did_you_mean(wanted, known) +
         " Known are: " + listed(known);
}

std::string in_quotes(std::string_view name) { return '"' + shown_name(name) + '"'; }

std::string listed(std::span<const std::string> names) { return joined(names, &shown_name); }
std::string quoted(std::span<const std::string> names) { return joined(names, &in_quotes); }

std::string short_number(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", number);
  return text;
}

}  // namespace oxbow::internal
