// Rows taken of a table that has fewer than are taken, as embeddings of letters are. What flows back through a product
// of such rows is summed by row of the table first: as many sums cost little, and then few rows are multiplied instead
// of many. Rows that nobody takes give and get nothing, whatever they hold. Thread safety: it appends to the graph,
// which is for one thread.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow::ops {

class TakenRows {
 public:
  /// Of `rows` [..., width], the rows of a table [n, width] at [...] indices, also where leading axes have been
  /// transposed since. Empty where they are something else, or not more than the table has.
  static TakenRows of(Value rows);
  /// Of `flow` to what was gathered by `gather`, in the order in which `flow` was computed before it was transposed.
  static TakenRows of_flow(const Node& gather, Value flow);

  explicit operator bool() const { return static_cast<bool>(table); }

  /// x [n, ...], with zeros in place of rows that are not taken.
  Value taken(Value x) const;
  /// The sums of `d` [..., columns] by row of the table; `like` has their shape [n, columns].
  Value sums(Value like, Value d) const;

  Value table, indices;
  NodeId gather = -1;  ///< that takes them, and has checked the indices: what sums by them cannot fail where it did not
};

}  // namespace oxbow::ops
