#include <oxbow/graph/graph.h>
#include <oxbow/ops/shape.h>

namespace oxbow {
namespace {

// As the user may have written them: "x[0, range(1, 3)]".
std::string written(const std::vector<Subscript>& subscripts) {
  const auto number = [](std::int64_t n) { return n == to_end ? "to_end" : std::to_string(n); };
  std::string text = "x[";
  for (const Subscript& s : subscripts) {
    if (text.size() > 2) text += ", ";
    if (s.is_place)
      text += std::to_string(s.begin);
    else if (s.begin == 0 && s.end == to_end && s.step == 1)
      text += "range()";
    else
      text +=
          "range(" + number(s.begin) + ", " + number(s.end) + (s.step == 1 ? "" : ", " + std::to_string(s.step)) + ")";
  }
  return text + "]";
}

[[noreturn]] void refuse(Value x, const Subscripts& subscripts, const std::string& problem, const std::string& remedy) {
  throw BuildError(written(subscripts.list()),
                   problem + (x ? "\n  x: " + to_string(x.type()) + " from " + to_string(x.node()) : "") +
                       at_line(subscripts.at()) + "\n  " + remedy);
}

}  // namespace

Value part(Value x, const Subscripts& subscripts) {
  if (!x) refuse(x, subscripts, "x is an empty Value", "Build it first");
  const auto& each = subscripts.list();
  if (static_cast<int>(each.size()) > x.rank())
    refuse(x, subscripts,
           std::to_string(each.size()) + " subscripts, but x has " + std::to_string(x.rank()) +
               (x.rank() == 1 ? " axis" : " axes"),
           "Give at most one an axis");
  try {
    Value y = x;
    std::vector<std::int64_t> places;
    for (std::size_t i = 0; i < each.size(); ++i) {
      const Subscript& s = each[i];
      const auto axis = static_cast<std::int64_t>(i), size = x.shape()[static_cast<int>(i)];
      if (!s.is_place) {
        if (s.begin != 0 || s.end != to_end || s.step != 1) y = slice(y, axis, s.begin, s.end, s.step, subscripts.at());
        continue;
      }
      if (s.begin < -size || s.begin >= size)
        refuse(x, subscripts,
               "there is no place " + std::to_string(s.begin) + " in axis " + std::to_string(axis) +
                   ", whose size is " + std::to_string(size),
               size == 0 ? "Take a range of it" : "Use " + std::to_string(-size) + " to " + std::to_string(size - 1));
      y = slice(y, axis, s.begin, s.begin == -1 ? to_end : s.begin + 1, subscripts.at());
      places.push_back(axis);
    }
    return places.empty() ? y : squeeze(y, places, subscripts.at());
  } catch (const BuildError& e) {
    throw e.by(written(each));
  }
}

}  // namespace oxbow
