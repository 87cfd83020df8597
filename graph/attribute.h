// An op's attributes: one function that names its members, from which printing, parsing and hashing come.
//
//   struct Softmax {
//     std::int64_t axis = -1;
//     static void attributes(auto&& visit) { visit("axis", &Softmax::axis); }
//   };
//
// A member of a type of one's own takes part by two functions found beside it: `AttrValue to_attr(const M&)` and
// `void from_attr(const AttrValue&, M&)`, or `void from_attr(const AttrValue&, M&, const Catalog&)` where it holds ops.
// Thread safety: values, and pure functions.
#pragma once

#include <oxbow/graph/tensor.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace oxbow {

class Catalog;
class Graph;

struct AttrValue;
using AttrList = std::vector<AttrValue>;
using AttrRecord = std::vector<std::pair<std::string, AttrValue>>;  // in declaration order

/// What text can say of an attribute. Records nest, so an attribute may itself be an op with attributes, or a graph
/// (see graph/subgraph.h).
struct AttrValue : std::variant<bool, std::int64_t, double, std::string, DType, Type, Tensor, AttrList, AttrRecord,
                                std::shared_ptr<const Graph>> {
  using variant::variant;
  // Defined apart, so that a program which includes this does not compile them again for all alternatives.
  AttrValue(const AttrValue& other);
  AttrValue(AttrValue&& other) noexcept;
  AttrValue& operator=(const AttrValue& other);
  AttrValue& operator=(AttrValue&& other) noexcept;
  ~AttrValue();
  /// The alternative T. Throws `Error` that names what is there instead of what was `expected`: "a list of sizes".
  template <class T>
  const T& get(const char* expected) const {
    if (const T* v = std::get_if<T>(this)) return *v;
    wrong(expected);
  }
  /// The field `key` of a record. Throws `Error` when it is missing.
  const AttrValue& field(std::string_view key) const;

 private:
  [[noreturn]] void wrong(const char* expected) const;
};

/// Thrown by whoever reads an attribute that holds an op which the catalogue does not have.
class UnknownOp : public Error {
 public:
  explicit UnknownOp(const std::string& name);
};

/// An attribute that an op does not have, or a value that attribute `key` cannot take.
class AttributeError : public Error {
 public:
  AttributeError(std::string key, const std::string& message) : Error(message), key_(std::move(key)) {}
  const std::string& key() const { return key_; }

 private:
  std::string key_;
};

/// Throws `AttributeError` for a `key` that the op does not have: `known` are those that it has.
[[noreturn]] void no_attribute(const std::string& key, std::string_view op, std::span<const std::string> known);

/// The index in `words` of the word that `a` holds: reads an attribute that is written as a word. `what` names the
/// attribute in messages. Throws `Error` for a word that is not listed: with the words that are spelt alike, all of
/// `words`, and `remedy`, which says what else than a word may be given.
std::size_t word_of(const AttrValue& a, std::string_view what, std::span<const std::string_view> words,
                    std::string_view remedy = {});

/// Equal to the last bit: NaN equals itself, and 0.0 differs from -0.0.
bool same_bits(const AttrValue& a, const AttrValue& b);
/// Of large tensors the first bytes only, so equal hashes prove nothing.
std::size_t hash(const AttrValue& v);

AttrValue to_attr(bool v);
AttrValue to_attr(std::int64_t v);
AttrValue to_attr(std::int32_t v);
AttrValue to_attr(std::uint64_t v);
AttrValue to_attr(double v);
AttrValue to_attr(const std::string& v);
AttrValue to_attr(DType v);
AttrValue to_attr(const Type& v);
AttrValue to_attr(const Tensor& v);
AttrValue to_attr(const std::vector<std::int64_t>& v);
AttrValue to_attr(const Shape& v);

void from_attr(const AttrValue& a, bool& v);
void from_attr(const AttrValue& a, std::int64_t& v);
void from_attr(const AttrValue& a, std::int32_t& v);
void from_attr(const AttrValue& a, std::uint64_t& v);
void from_attr(const AttrValue& a, double& v);  ///< takes an integer as well
void from_attr(const AttrValue& a, std::string& v);
void from_attr(const AttrValue& a, DType& v);
void from_attr(const AttrValue& a, Type& v);
void from_attr(const AttrValue& a, Tensor& v);
void from_attr(const AttrValue& a, std::vector<std::int64_t>& v);
void from_attr(const AttrValue& a, Shape& v);

/// Calls `visit(name, &T::member)` for each attribute of T, in order; a T that names none has none.
template <class T, class Visit>
void each_attribute(Visit&& visit) {
  static_assert(
      !requires { T::attributes; }, "attributes are named by: static void attributes(auto&& visit)");
  if constexpr (requires { T::attributes(visit); }) T::attributes(visit);
}

/// The attributes of any op and their values.
template <class T>
AttrRecord attributes_of(const T& op) {
  AttrRecord out;
  each_attribute<T>([&](const char* name, auto member) { out.emplace_back(name, to_attr(op.*member)); });
  return out;
}

/// Reads `value` into the member of attribute `key`; ops inside it are looked up in the `catalog`, where one is given.
/// A fault is an `AttributeError` that begins with the key.
template <class Member, class... C>
void read_attribute(std::string_view key, const AttrValue& value, Member& member, const C&... catalog) {
  try {
    if constexpr (requires { from_attr(value, member, catalog...); })
      from_attr(value, member, catalog...);
    else
      from_attr(value, member);
  } catch (const UnknownOp&) {
    throw;
  } catch (const Error& e) {
    throw AttributeError(std::string(key), std::string(key) + ": " + e.what());
  }
}

/// Sets attribute `key` of `op`; false where it has none of that name. Throws as `read_attribute` does.
template <class T, class... C>
bool set_attribute(T& op, std::string_view key, const AttrValue& value, const C&... catalog) {
  bool known = false;
  each_attribute<T>([&](std::string_view name, auto member) {
    if (name != key) return;
    read_attribute(key, value, op.*member, catalog...);
    known = true;
  });
  return known;
}

/// An op with these attributes; one that `record` leaves out keeps its default. Throws `AttributeError` for a name that
/// the op does not have, or a value of the wrong kind. Ops inside attributes are looked up in `catalog`.
template <class T>
T with_attributes(const AttrRecord& record, const Catalog& catalog) {
  T op{};
  for (const auto& [key, value] : record)
    if (!set_attribute(op, key, value, catalog)) {
      std::vector<std::string> known;
      each_attribute<T>([&](const char* name, auto) { known.emplace_back(name); });
      no_attribute(key, T::info.name, known);
    }
  return op;
}

}  // namespace oxbow
