#include <oxbow/graph/attribute.h>
#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/hash.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/same_nodes.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace oxbow {
using namespace internal;

namespace {

const char* kind_of(const AttrValue& v) {
  static constexpr const char* kinds[] = {"a bool", "an integer", "a number", "a string", "a dtype",
                                          "a type", "a tensor",   "a list",   "a record", "a graph"};
  static_assert(std::size(kinds) == std::variant_size_v<AttrValue::variant>);
  return kinds[v.index()];
}

std::size_t hash_bytes(const std::byte* bytes, std::size_t size) {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(bytes), size});
}

}  // namespace

UnknownOp::UnknownOp(const std::string& name)
    : Error("the catalogue has no op " + in_quotes(name) + "\n  Add it to the catalogue that the text is read with") {}

AttrValue::AttrValue(const AttrValue& other) = default;
AttrValue::AttrValue(AttrValue&& other) noexcept = default;
AttrValue& AttrValue::operator=(const AttrValue& other) = default;
AttrValue& AttrValue::operator=(AttrValue&& other) noexcept = default;
AttrValue::~AttrValue() = default;

void AttrValue::wrong(const char* expected) const {
  throw Error(std::string("expected ") + expected + ", but there is " + kind_of(*this));
}

const AttrValue& AttrValue::field(std::string_view key) const {
  const AttrRecord& record = get<AttrRecord>("a record");
  for (const auto& [name, value] : record)
    if (name == key) return value;
  std::vector<std::string> names;
  for (const auto& [name, value] : record) names.push_back(name);
  const std::vector<std::string> near = near_names(key, names);
  throw Error("the field " + in_quotes(key) + " is missing" +
              (near.empty() ? "" : ", but there is " + in_quotes(near[0])));
}

void no_attribute(const std::string& key, std::string_view op, std::span<const std::string> known) {
  throw AttributeError(key, "no attribute " + in_quotes(key) + " of op " + std::string(op) + "." +
                                did_you_mean(key, known) +
                                (known.empty() ? " It has none" : " It has: " + listed(known)));
}

std::size_t word_of(const AttrValue& a, std::string_view what, std::span<const std::string_view> words,
                    std::string_view remedy) {
  const std::string& word = a.get<std::string>("a word");
  const auto place = std::find(words.begin(), words.end(), word);
  if (place == words.end()) {
    const std::vector<std::string> known(words.begin(), words.end());
    throw Error(no_such(what, word, known) + (remedy.empty() ? "" : "\n  " + std::string(remedy)));
  }
  return static_cast<std::size_t>(place - words.begin());
}

bool same_bits(const AttrValue& a, const AttrValue& b) {
  if (a.index() != b.index()) return false;
  if (const auto* x = std::get_if<double>(&a))
    return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(std::get<double>(b));
  if (const auto* x = std::get_if<Tensor>(&a)) return same_bits(*x, std::get<Tensor>(b));
  if (const auto* x = std::get_if<AttrList>(&a)) {
    const auto& y = std::get<AttrList>(b);
    return std::equal(x->begin(), x->end(), y.begin(), y.end(),
                      [](const AttrValue& p, const AttrValue& q) { return same_bits(p, q); });
  }
  if (const auto* x = std::get_if<AttrRecord>(&a)) {
    const auto& y = std::get<AttrRecord>(b);
    return std::equal(x->begin(), x->end(), y.begin(), y.end(),
                      [](const auto& p, const auto& q) { return p.first == q.first && same_bits(p.second, q.second); });
  }
  if (const auto* x = std::get_if<std::shared_ptr<const Graph>>(&a))
    return same_nodes(**x, *std::get<std::shared_ptr<const Graph>>(b));
  if (const auto* x = std::get_if<bool>(&a)) return *x == std::get<bool>(b);
  if (const auto* x = std::get_if<std::int64_t>(&a)) return *x == std::get<std::int64_t>(b);
  if (const auto* x = std::get_if<std::string>(&a)) return *x == std::get<std::string>(b);
  if (const auto* x = std::get_if<DType>(&a)) return *x == std::get<DType>(b);
  return std::get<Type>(a) == std::get<Type>(b);
}

std::size_t hash(const AttrValue& v) {
  std::size_t h = v.index();
  if (const auto* x = std::get_if<bool>(&v)) return mixed(h, *x);
  if (const auto* x = std::get_if<std::int64_t>(&v)) return mixed(h, static_cast<std::size_t>(*x));
  if (const auto* x = std::get_if<double>(&v)) return mixed(h, std::bit_cast<std::size_t>(*x));
  if (const auto* x = std::get_if<std::string>(&v)) return mixed(h, std::hash<std::string>()(*x));
  if (const auto* x = std::get_if<DType>(&v)) return mixed(h, static_cast<std::size_t>(*x));
  if (const auto* x = std::get_if<Type>(&v)) {
    for (std::int64_t size : x->shape) h = mixed(h, static_cast<std::size_t>(size));
    return mixed(mixed(h, static_cast<std::size_t>(x->dtype)), static_cast<std::size_t>(x->layout.panel));
  }
  if (const auto* x = std::get_if<Tensor>(&v)) {
    // A sample is enough: equality is exact, and a constant may have gigabytes.
    const auto bytes = static_cast<std::size_t>(std::min<std::int64_t>(x->type().bytes(), 4096));
    return mixed(hash(AttrValue(x->type())), bytes == 0 ? 0 : hash_bytes(x->bytes(), bytes));
  }
  if (const auto* x = std::get_if<AttrList>(&v)) {
    for (const AttrValue& e : *x) h = mixed(h, hash(e));
    return h;
  }
  if (const auto* x = std::get_if<std::shared_ptr<const Graph>>(&v)) {
    for (NodeId id = 0; id < (*x)->size(); ++id)
      h = mixed(h, std::hash<std::string_view>()((*x)->node(id).op().name()));
    return h;
  }
  for (const auto& [key, value] : std::get<AttrRecord>(v))
    h = mixed(mixed(h, std::hash<std::string>()(key)), hash(value));
  return h;
}

AttrValue to_attr(bool v) { return v; }
AttrValue to_attr(std::int64_t v) { return v; }
AttrValue to_attr(std::int32_t v) { return std::int64_t{v}; }
AttrValue to_attr(double v) { return v; }
AttrValue to_attr(const std::string& v) { return v; }
AttrValue to_attr(DType v) { return v; }
AttrValue to_attr(const Type& v) { return v; }
AttrValue to_attr(const Tensor& v) { return v; }
AttrValue to_attr(std::uint64_t v) { return std::bit_cast<std::int64_t>(v); }
AttrValue to_attr(const std::vector<std::int64_t>& v) { return AttrList(v.begin(), v.end()); }
AttrValue to_attr(const Shape& v) { return AttrList(v.begin(), v.end()); }

void from_attr(const AttrValue& a, bool& v) { v = a.get<bool>("a bool"); }
void from_attr(const AttrValue& a, std::int64_t& v) { v = a.get<std::int64_t>("an integer"); }
void from_attr(const AttrValue& a, std::int32_t& v) {
  const std::int64_t wide = a.get<std::int64_t>("an integer");
  if (wide < std::numeric_limits<std::int32_t>::min() || wide > std::numeric_limits<std::int32_t>::max())
    throw Error("the integer " + std::to_string(wide) + " does not fit in 32 bits");
  v = static_cast<std::int32_t>(wide);
}
void from_attr(const AttrValue& a, std::uint64_t& v) {
  v = std::bit_cast<std::uint64_t>(a.get<std::int64_t>("an integer"));
}
void from_attr(const AttrValue& a, double& v) {
  if (const auto* integer = std::get_if<std::int64_t>(&a))
    v = static_cast<double>(*integer);
  else
    v = a.get<double>("a number");
}
void from_attr(const AttrValue& a, std::string& v) { v = a.get<std::string>("a string"); }
void from_attr(const AttrValue& a, DType& v) { v = a.get<DType>("a dtype"); }
void from_attr(const AttrValue& a, Type& v) { v = a.get<Type>("a type"); }
void from_attr(const AttrValue& a, Tensor& v) { v = a.get<Tensor>("a tensor"); }
void from_attr(const AttrValue& a, std::vector<std::int64_t>& v) {
  v.clear();
  for (const AttrValue& e : a.get<AttrList>("a list of integers")) v.push_back(e.get<std::int64_t>("an integer"));
}
void from_attr(const AttrValue& a, Shape& v) {
  std::vector<std::int64_t> sizes;
  from_attr(a, sizes);
  v = Shape(sizes);
}

}  // namespace oxbow
