#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/widen.h>

namespace oxbow {

std::vector<Value> widened(const Op& op, Values in) {
  std::vector<Value> wide;
  std::vector<Type> types;
  Graph* graph = nullptr;
  for (int i = 0; i < in.size(); ++i) {
    types.push_back(in[i] ? in[i].type() : Type::absent());
    const bool stays = !in[i] || op.info().any_dtype.contains(i);
    wide.push_back(stays ? in[i] : cast(in[i], compute_type(in[i].dtype())));
    if (in[i]) graph = &in[i].graph();
  }
  const Node node = graph->append(op, wide, Location{});
  std::vector<Value> outputs;
  int o = 0;
  for (const Type& type : op.infer(types)) outputs.push_back(cast(node.output(o++), type.dtype));
  return outputs;
}

}  // namespace oxbow
