// A catalogue: the ops that a parser knows and `oxbow ops` lists, by name. One explicit list, the sum
// of the families' (ops/catalog.cpp). An op that is not in it parses to an opaque node. Thread safety: read by any
// number of threads once filled.
#pragma once

#include <oxbow/graph/op.h>

#include <map>

namespace oxbow {

/// Who makes nodes of an op: users' builder functions, `gradients` alone, or passes alone. What `gradients` makes is
/// called after the op that it is the gradient of: X_gradient, and X_gradient_of_INPUT where each input has an op of
/// its own (`relu_gradient`, `conv2d_gradient_of_weights`). X_add adds X's gradient to a sum of gradients, in place.
enum class Made : std::uint8_t { by_users, by_gradients, by_passes };

/// What the catalogue says of an op. Made in the call of `add`, for it refers to what it is given.
template <class T>
struct Listing {
  std::string_view formula = {};  ///< one line: "max(x, 0)"
  /// Inputs that it takes, of values that matter only where they are known while a graph is built; f64 where they may
  /// have several dtypes. Left out where they say nothing: of internal ops.
  const std::vector<Tensor>& example = {};
  T op = {};  ///< that takes them
};

class Catalog {
 public:
  struct Entry {
    const OpInfo* info;
    Made made;
    std::string formula;
    Op op;
    std::vector<Tensor> example;
    Op (*make)(const AttrRecord& attributes, const Catalog& catalog);
  };

  /// input, constant, variable, assign.
  static Catalog leaves();

  template <OpType T>
  Catalog& add(const Listing<T>& listing = {}, Made made = Made::by_users) {
    return add(listing.op, made, listing.formula, listing.example,
               [](const AttrRecord& a, const Catalog& c) -> Op { return with_attributes<T>(a, c); });
  }
  /// Texts from before a change of names say `old`; it is read as `now`.
  Catalog& renamed(std::string old, std::string now);
  /// Null when there is no such op.
  const Entry* find(std::string_view name) const;
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }

 private:
  Catalog& add(const Op& op, Made made, std::string_view formula, const std::vector<Tensor>& example,
               Op (*make)(const AttrRecord&, const Catalog&));

  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, std::string, std::less<>> old_names_;
};

}  // namespace oxbow
