#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/optim/groups.h>

#include <algorithm>

namespace oxbow::optim {
using namespace oxbow::internal;

namespace {

[[noreturn]] void fail(const Group& group, const std::string& problem) {
  throw Error("parameter group " + in_quotes(group.pattern) + " " + problem);
}

std::string list(const std::vector<std::string>& names) {
  constexpr std::size_t most = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? "" : ", ") + escaped(names[i]);
  return names.size() > most ? text + " and " + std::to_string(names.size() - most) + " more" : text;
}

// The first name that comes again; "" when none does.
std::string repeated(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  return twice == names.end() ? "" : *twice;
}

}  // namespace

// The last '*' takes as little as it can, and one character more each time the rest does not fit.
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::vector<int> grouped(const std::vector<Group>& groups, const std::vector<std::string>& names) {
  if (const std::string twice = repeated(names); !twice.empty())
    throw Error("the parameter " + twice + " is given twice. Give each one once");
  std::vector<int> of(names.size(), -1);
  for (std::size_t k = 0; k < groups.size(); ++k) {
    const Group& group = groups[k];
    const std::string who = "parameter group " + in_quotes(group.pattern);
    check_not_negative(who, "rate", group.rate);
    if (group.weight_decay) check_not_negative(who, "weight_decay", *group.weight_decay);
    if (group.optimizer) group.optimizer->check();
    bool known = false, any = false;
    int earlier = -1;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!matches(group.pattern, names[i])) continue;
      known = true;
      if (of[i] >= 0) {
        earlier = of[i];
      } else {
        of[i] = static_cast<int>(k);
        any = true;
      }
    }
    if (!known)
      fail(group, "matches no parameter." + did_you_mean(group.pattern, names) + " There are: " + list(names));
    if (!any)
      fail(group, "is empty: what it matches belongs to the group " +
                      in_quotes(groups[static_cast<std::size_t>(earlier)].pattern) +
                      ", which comes first. Put the narrower pattern before the wider one");
  }
  return of;
}

}  // namespace oxbow::optim
