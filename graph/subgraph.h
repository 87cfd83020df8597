// A graph that an op owns, as `cond` owns its branches and `repeat` its body: immutable, shared, and an attribute like
// any other. Its inputs are its `Input` nodes in order, its results its outputs in order. The op's inputs feed it; the
// types in it are those that it was built with, and follow the op's where these differ.
// Thread safety: a value; building appends to a graph, which is for one thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

#include <functional>

namespace oxbow {

class Subgraph {
 public:
  Subgraph() = default;  ///< none
  explicit Subgraph(std::shared_ptr<const Graph> graph);
  explicit operator bool() const { return graph_ != nullptr; }

  const Graph& graph() const { return *graph_; }
  const std::shared_ptr<const Graph>& shared() const { return graph_; }
  const std::vector<Value>& inputs() const { return inputs_; }
  const std::vector<Value>& outputs() const { return outputs_; }

  /// The types of its outputs where its inputs have these. Throws `OpError` where there are more or fewer inputs, or a
  /// node in it refuses its own.
  std::vector<Type> infer(Types in) const;
  /// The same with inputs of these types. Throws `Error` as the nodes' ops do.
  Subgraph typed(Types in) const;
  /// Its outputs, after its nodes were written into `to`, with `in` in place of its inputs. They belong to the scope
  /// `scope` within the current one, keep their names where these are free there, and are backward where `to` builds
  /// for a backward node.
  std::vector<Value> write(Graph& to, Values in, const std::string& scope) const;

  /// The same to the last bit of every attribute; names are notes.
  bool operator==(const Subgraph& other) const;

 private:
  std::shared_ptr<const Graph> graph_;
  std::vector<Value> inputs_, outputs_;
};
AttrValue to_attr(const Subgraph& s);
void from_attr(const AttrValue& a, Subgraph& s);

/// The graph of a Subgraph as it is built. Its inputs are called "x0", "x1", ..., its outputs "y0", "y1", ...
class SubgraphBuilder {
 public:
  /// Shares the names of `names`: see `Graph::share_names`.
  explicit SubgraphBuilder(const Graph& names);
  Graph& graph() { return *graph_; }
  Value input(const Type& type);
  void output(Value v);
  Subgraph build() const { return Subgraph(graph_); }

 private:
  std::shared_ptr<Graph> graph_ = std::make_shared<Graph>();
  std::size_t inputs_ = 0;
};

/// Writes a graph's nodes into `to`, as `Subgraph::write` does: `in` are the values for `inputs` (of `from`; one that
/// is gone is empty). `each` is called for a node with its inputs there, and appends it.
std::vector<Value> write_nodes(const Graph& from, Values inputs, Values outputs, Graph& to, Values in,
                               const std::string& scope,
                               const std::function<Node(Node node, Values in, const Origin& origin)>& each);

/// What a function builds on new values of the given types, as a subgraph. Its inputs are these and, after them, the
/// values of the surrounding graph that it reads, which are added to `captured` unless they are there already; of those
/// constants become part of it. Variables and inputs that it makes belong to the surrounding graph. The function runs
/// once, and the nodes that it appended are gone from `g` afterwards, so that its values must not leave it. Throws
/// `Error` where it assigns, or adds updates or outputs.
Subgraph build_subgraph(Graph& g, Types types, std::vector<Value>& captured,
                        const std::function<std::vector<Value>(std::vector<Value>)>& build, Location at);

/// The same with inputs for all of `captured`, where it was built for the first of them only.
Subgraph with_captured(const Subgraph& s, const std::vector<Value>& captured);

}  // namespace oxbow
