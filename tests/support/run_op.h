// Runs one op with a kernel on tensors, without graph or plan: part by part, the last one first, since their order must
// not matter.
#pragma once

#include <oxbow/graph/op.h>

namespace oxbow {

/// The outputs. `in_place` shares bytes between output k and input in_place[k] (-1: none), which overwrites that input.
inline std::vector<Tensor> run_op(const Op& op, const std::vector<Tensor>& inputs,
                                  const std::vector<int>& in_place = {}) {
  std::vector<Type> types;
  for (const Tensor& t : inputs) types.push_back(t.type());
  const std::vector<Type> results = op.infer(types);
  const auto [work, prepared] = op.prepare(types);
  std::vector<Tensor> outputs;
  for (std::size_t k = 0; k < results.size(); ++k)
    outputs.push_back(k < in_place.size() && in_place[k] >= 0 ? inputs[static_cast<std::size_t>(in_place[k])]
                                                              : Tensor(results[k]));
  std::vector<ConstView> in;
  for (std::size_t i = 0; i < inputs.size(); ++i) in.push_back({&types[i], inputs[i].bytes()});
  std::vector<View> out;
  for (std::size_t k = 0; k < outputs.size(); ++k) out.push_back({&results[k], outputs[k].bytes()});
  const std::shared_ptr<std::byte> scratch = allocate(work.scratch);
  for (std::int64_t part = work.parts - 1; part >= 0; --part)
    op.run({in, out, part, work.parts, scratch.get(), prepared.get()});
  return outputs;
}

}  // namespace oxbow
