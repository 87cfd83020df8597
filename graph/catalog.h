// A catalogue: the ops that a parser knows and the tests go through, by name. One explicit list: see ops/catalog.cpp.
// An op that is not in it parses to an opaque node. Thread safety: read by any number of threads once filled.
#pragma once

#include <oxbow/graph/sample.h>

#include <functional>
#include <map>

namespace oxbow {

class Catalog {
 public:
  struct Entry {
    std::function<Op(const AttrRecord&, const Catalog&)> make;
    std::function<std::vector<Sample>()> samples;  ///< empty where the op has none
  };

  /// input, constant, variable, assign.
  static Catalog leaves();

  template <OpType T>
  Catalog& add() {
    Entry entry{[](const AttrRecord& a, const Catalog& c) -> Op { return with_attributes<T>(a, c); }, {}};
    if constexpr (requires { T::samples(); }) entry.samples = [] { return T::samples(); };
    entries_.insert_or_assign(std::string(T::info.name), std::move(entry));
    return *this;
  }
  /// Null when there is no such op.
  const Entry* find(std::string_view name) const {
    const auto place = entries_.find(name);
    return place == entries_.end() ? nullptr : &place->second;
  }
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace oxbow
