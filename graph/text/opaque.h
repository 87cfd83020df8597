// An op that the reader of a text does not know: it keeps name, attributes and printed types, so that its graph can be
// dumped, compared and drawn. It cannot be lowered, run, differentiated, or given inputs of other types.
#pragma once

#include <oxbow/graph/op.h>

namespace oxbow::internal {

struct Opaque {
  struct Text {
    std::string name;
    AttrRecord attributes;
    std::vector<Type> inputs, outputs;
  };
  std::shared_ptr<const Text> text;
  OpInfo info;  ///< with the name of `text`

  explicit Opaque(Text t);
  /// The printed output types. Throws `OpError` when the inputs have other types than in the text.
  std::vector<Type> infer(Types in) const;
  /// Throws `OpError`: the error of whoever compiles a graph with an unknown op.
  std::vector<Value> lower(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Opaque& other) const;
};

inline AttrRecord attributes_of(const Opaque& op) { return op.text->attributes; }

}  // namespace oxbow::internal
