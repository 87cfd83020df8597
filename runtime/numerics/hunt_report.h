// What the hunt for NaN and Inf tells of a finding, and what it writes so that the finding can be repeated. Part of
// `hunt`'s implementation. Thread safety: functions of what they are given; `report` writes to a folder where the user
// asks for it.
#pragma once

#include <oxbow/graph/op.h>
#include <oxbow/runtime/numerics/hunt.h>
#include <oxbow/runtime/safetensors.h>

namespace oxbow::internal {

/// What a value holds.
struct Mark {
  bool bad = false;    ///< a NaN or Inf
  bool nan = false;    ///< a NaN
  bool meant = false;  ///< infinities, all of them built on purpose
};

/// The marks of all values, and of each node whether it made something bad out of inputs that were well.
class Marks {
 public:
  explicit Marks(const Graph& g) : maker(static_cast<std::size_t>(g.size())) {
    for (NodeId id = 0; id < g.size(); ++id) {
      first_.push_back(marks_.size());
      marks_.resize(marks_.size() + static_cast<std::size_t>(g.node(id).output_count()));
    }
  }
  Mark& of(Value v) { return marks_[place(v)]; }
  const Mark& of(Value v) const { return marks_[place(v)]; }

  std::vector<bool> maker;

 private:
  std::size_t place(Value v) const {
    return first_[static_cast<std::size_t>(v.node_id())] + static_cast<std::size_t>(v.output());
  }
  std::vector<std::size_t> first_;  // of each node
  std::vector<Mark> marks_;
};

/// A node's outputs.
using Outputs = std::vector<Tensor>;

/// A node by itself, what it was given, and what it made of that.
struct Scene {
  Graph graph;
  Safetensors inputs;
  Outputs outputs;
};

/// Fills an empty scene with node `n`; `values` holds its inputs' and its own, by node.
void set_scene(const Rerun& run, Node n, const std::vector<Outputs>& values, Scene& scene);

/// Whether a node reads this input, and not its shape alone.
inline bool reads(Node n, int input) { return n.input(input) && n.op().info().reads(input); }

/// The error for these nodes, in the graph's order; the scene is of the first one. Writes `Numerics::repro`.
NumericsError report(const Rerun& run, const std::vector<NodeId>& culprits, const Scene& scene, const Marks& marks,
                     const Numerics& options);

}  // namespace oxbow::internal
