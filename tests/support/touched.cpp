#include "touched.h"

#include <oxbow/graph/leaves.h>
#include <oxbow/runtime/run/executor.h>
#include <oxbow/runtime/store.h>

#include <algorithm>
#include <vector>

namespace oxbow::test {
using namespace internal;

Touched touched(const std::shared_ptr<const Plan>& plan, int threads) {
  constexpr std::size_t guard = 4096;
  const auto arena = static_cast<std::size_t>(plan->arena_bytes);
  const auto memory = allocate(plan->arena_bytes + static_cast<std::int64_t>(guard));
  const auto scratch = allocate(plan->scratch_bytes * threads + 64);
  const Pool pool(threads);
  const Store store(*plan->graph);
  Touched out;
  std::vector<bool> written(arena);
  for (const int pattern : {0xA5, 0x5A}) {  // a byte that is written the pattern itself shows under the other
    std::fill_n(memory.get(), arena + guard, static_cast<std::byte>(pattern));
    Frame frame(plan);
    frame.set_arena(memory.get());
    std::vector<Tensor> leaves;
    for (std::size_t i = 0; i < plan->inputs.size(); ++i) {
      Tensor& t = leaves.emplace_back(plan->graph->node(plan->inputs[i].node).output().type());
      std::fill_n(t.bytes(), t.type().bytes(), std::byte{0});
      if (t.dtype() == f32) std::fill_n(t.data<float>(), t.count(), 0.5f);
      if (t.dtype() == f64) std::fill_n(t.data<double>(), t.count(), 0.5);
      frame.set_input(static_cast<int>(i), t.bytes());
    }
    for (std::size_t i = 0; i < plan->variables.size(); ++i) {
      const Node node = plan->graph->node(plan->variables[i].node);
      leaves.push_back(store.get(node.op().as<ops::Variable>()->name).clone());
      frame.set_variable(static_cast<int>(i), leaves.back().bytes());
    }
    try {
      Executor(frame, pool).run(scratch.get(), {});
    } catch (const Error&) {
      out.failed = true;
    }
    for (std::size_t i = 0; i < arena; ++i)
      if (memory.get()[i] != static_cast<std::byte>(pattern)) written[i] = true;
    for (std::size_t i = arena; i < arena + guard; ++i)
      out.beyond = out.beyond || memory.get()[i] != static_cast<std::byte>(pattern);
  }
  const auto last = std::find(written.rbegin(), written.rend(), true);
  out.bytes = (written.rend() - last + 63) / 64 * 64;
  return out;
}

}  // namespace oxbow::test
