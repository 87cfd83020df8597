// Bytes as a program that builds a graph: each decides which builder is called next, or with which operands, shapes,
// dtypes, axes and attributes, good and bad ones. What is refused with an `Error` is left out. The same bytes make the
// same calls with every compiler: of any arguments that take bytes, each is read in a statement of its own.
// For one thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>

#include <array>
#include <string_view>
#include <vector>

namespace oxbow::test {

class Calls {
 public:
  explicit Calls(std::string_view bytes) : bytes_(bytes) {}

  // Makes calls until the bytes end, but no more than a small graph needs.
  void make_all();
  // From here on these bytes choose.
  void go_on_with(std::string_view bytes) { bytes_ = bytes, at_ = 0; }

  Graph& graph() { return *graph_; }
  const std::shared_ptr<Graph>& shared_graph() const { return graph_; }
  // What may be read on: few elements each.
  const std::vector<Value>& values() const { return values_; }

  // Choices. Behind the end every byte is 0.
  int byte() {
    if (at_ == bytes_.size()) return 0;
    return static_cast<unsigned char>(bytes_[at_++]);
  }
  int below(int n) { return byte() % n; }
  bool flag() { return byte() & 1; }
  std::int64_t number();                       // mostly small, some at the edges of its type
  std::int64_t few() { return below(7) - 1; }  // of what takes time for each
  // Of a loop, within those around it: all of them together go round few times.
  std::int64_t steps();
  double real();
  DType dtype();
  std::vector<std::int64_t> numbers();
  Shape shape();  // of few elements
  std::vector<std::int64_t> axes();
  std::string name();
  Value operand();  // one that was built; rarely none, and rarely one of another graph
  std::vector<Value> operands();
  Tensor tensor(const Type& type);  // in which what is special is not rare
  // An attribute of some op, changed a little.
  AttrValue bent(const AttrValue& a);

  void keep(Value v);
  void keep(const std::vector<Value>& all) {
    for (const Value& v : all) keep(v);
  }
  // Some calls more, and a value to return from them: for scopes and bodies.
  Value make_some();
  // Values of a body, which is done so many times, are forgotten at the end of it.
  class Body {
   public:
    explicit Body(Calls& c, std::int64_t times = 1) : c_(c), before_(c.values_.size()), times_(c.times_) {
      if (times > 1) c_.times_ *= times;
    }
    ~Body() { c_.values_.resize(before_), c_.times_ = times_; }
    Body(const Body&) = delete;
    Body& operator=(const Body&) = delete;

   private:
    Calls& c_;
    const std::size_t before_;
    const std::int64_t times_;
  };

 private:
  void make_one();

  std::string_view bytes_;
  std::size_t at_ = 0;
  int calls_ = 0, depth_ = 0;
  std::int64_t times_ = 1;  // that what is built now is done
  std::shared_ptr<Graph> graph_ = std::make_shared<Graph>(), other_ = std::make_shared<Graph>();
  std::vector<Value> values_;
};

// How many nodes a graph comes to when it is compiled: those of a loop's body count for each step.
std::int64_t unrolled_size(const Graph& g);

using Call = void (*)(Calls&);
void add_calls_of_ops(std::vector<Call>& all);
void add_calls_of_indexing(std::vector<Call>& all);
void add_calls_of_nets(std::vector<Call>& all);
void add_calls_of_layers(std::vector<Call>& all);

/// A vector of whole numbers, and one of them, to be known while the graph is built.
Value vector(Calls& c);
Value whole(Calls& c);

using UnaryBuilder = Value (*)(Value, At);
UnaryBuilder some_unary(Calls& c);
template <std::size_t n, class F>
F one_of(Calls& c, const std::array<F, n>& all) {
  return all[static_cast<std::size_t>(c.below(static_cast<int>(n)))];
}

}  // namespace oxbow::test
