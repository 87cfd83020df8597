#include <oxbow/graph/op.h>

namespace oxbow {

Work Op::work(Types in) const {
  if (hooks().prepare) return prepare(in).work;
  if (hooks().work) return hooks().work(self(), in);
  Work w;
  for (const Type& t : in) w.bytes += static_cast<double>(t.bytes());
  w.flops = w.bytes / 4;  // an operation for each f32 that it reads
  return w;
}

Prepared<void> Op::prepare(Types in) const {
  return hooks().prepare ? hooks().prepare(self(), in) : Prepared<void>{work(in), nullptr};
}

Grads Op::gradient(const Node& n, Values dy) const {
  if (!has_flow_back())
    return hooks().gradient ? hooks().gradient(self(), n, dy) : NotDifferentiable{"it has no gradient rule"};
  const std::vector<Flow> flows(dy.begin(), dy.end()), nothing(static_cast<std::size_t>(n.input_count()));
  std::vector<Value> dx;
  for (const Flow& f : flow_back(n, flows, nothing)) dx.push_back(f.sum);
  return dx;
}

std::vector<Flow> Op::flow_back(const Node& n, Flows dy, Flows sums) const {
  if (!has_flow_back()) throw InternalError("an op that owns no graphs was asked what flows back through them");
  return hooks().flow_back(self(), n, dy, sums);
}

Value Op::add_to(Values in, Value sum, Value flows) const {
  return hooks().add_to ? hooks().add_to(self(), in, sum, flows) : Value();
}

std::vector<Value> Op::simplify(Values in) const {
  return has_simplify() ? hooks().simplify(self(), in) : std::vector<Value>();
}
std::vector<Value> Op::lower(Values in) const { return has_lower() ? hooks().lower(self(), in) : std::vector<Value>(); }
std::vector<Value> Op::widen(Values in) const { return has_widen() ? hooks().widen(self(), in) : std::vector<Value>(); }
std::vector<Value> Op::inference(Values in) const {
  return has_inference() ? hooks().inference(self(), in) : std::vector<Value>();
}

bool Op::widens(Types in) const {
  for (std::size_t i = 0; i < in.size(); ++i)
    if (widens(static_cast<int>(i), in[i].dtype)) return true;
  return false;
}

std::vector<InputSet> Op::overwrites(Types in) const {
  return hooks().overwrites ? hooks().overwrites(self(), in) : std::vector{info().may_overwrite};
}

std::optional<Op> Op::with_epilogue(int output, const internal::Tape& tape, Types in) const {
  return has_epilogue() ? hooks().with_epilogue(self(), output, tape, in) : std::nullopt;
}

std::optional<Op> Op::absorb(int operand, const Op& producer, Types in) const {
  return hooks().absorb ? hooks().absorb(self(), operand, producer, in) : std::nullopt;
}

Op Op::with_subgraphs(std::span<const std::shared_ptr<const Graph>> graphs) const {
  return hooks().with_subgraphs ? hooks().with_subgraphs(self(), graphs) : *this;
}

std::size_t Op::hash() const {
  return std::hash<std::string_view>()(name()) * 31 + oxbow::hash(AttrValue(attributes()));
}

}  // namespace oxbow
