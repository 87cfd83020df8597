#include <oxbow/graph/attribute.h>
#include <oxbow/ops/windows.h>

#include <algorithm>

namespace oxbow {

PerAxis::PerAxis(const std::vector<std::int64_t>& numbers) : PerAxis(numbers.empty() ? 0 : numbers.back()) {
  if (numbers.empty() || numbers.size() > numbers_.size())
    throw Error("there is one number for all axes, or one for each of up to three, not " +
                std::to_string(numbers.size()));
  std::copy(numbers.rbegin(), numbers.rend(), numbers_.rbegin());
  if (std::adjacent_find(numbers.begin(), numbers.end(), std::not_equal_to()) != numbers.end())
    count_ = static_cast<int>(numbers.size());
}

std::string to_string(const PerAxis& v) {
  const std::string across = std::to_string(v.across());
  if (v.count() == 1) return across;
  const std::string two = std::to_string(v.down()) + ", " + across;
  return v.count() == 2 ? "[" + two + "]" : "[" + std::to_string(v.through()) + ", " + two + "]";
}

AttrValue to_attr(const PerAxis& v) {
  if (v.count() == 1) return to_attr(v.across());
  std::vector<std::int64_t> numbers{v.down(), v.across()};
  if (v.count() == 3) numbers.insert(numbers.begin(), v.through());
  return to_attr(numbers);
}

void from_attr(const AttrValue& a, PerAxis& v) {
  if (std::holds_alternative<std::int64_t>(a)) {
    v = std::get<std::int64_t>(a);
    return;
  }
  std::vector<std::int64_t> numbers;
  from_attr(a, numbers);
  v = PerAxis(numbers);
}

namespace {
constexpr std::array<std::string_view, 3> kinds{"valid", "same", "same_lower"};  // of Padding::Kind
}

AttrValue to_attr(const Padding& v) {
  if (v.kind != Padding::sides) return std::string(kinds[static_cast<std::size_t>(v.kind)]);
  std::vector<std::int64_t> sides{v.top, v.bottom, v.left, v.right};
  if (v.front != 0 || v.back != 0) sides.insert(sides.begin(), {v.front, v.back});
  return to_attr(sides);
}

void from_attr(const AttrValue& a, Padding& v) {
  if (std::holds_alternative<std::string>(a)) {
    v = static_cast<Padding::Kind>(word_of(a, "padding", kinds, "Or four numbers: top, bottom, left, right"));
    return;
  }
  std::vector<std::int64_t> s;
  from_attr(a, s);
  if (s.size() == 6)
    v = Padding(s[0], s[1], s[2], s[3], s[4], s[5]);
  else if (s.size() == 4)
    v = Padding(s[0], s[1], s[2], s[3]);
  else
    throw Error("padding is a name or four numbers: top, bottom, left, right");
}

}  // namespace oxbow
