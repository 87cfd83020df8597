#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/step/step_builder.h>

namespace oxbow::optim::internal {
namespace {

// How far something moved, by its length. What did not move has moved by 0, where its length is 0 as well.
Value ratio(const std::vector<Value>& moves, const std::vector<Value>& of) {
  const Value moved = global_norm(moves), length = global_norm(of);
  const Value still = equal(moved, 0.0);
  return where(still, 0.0, moved / length);
}

}  // namespace

void StepBuilder::record_norms() {
  const OriginGuard guard = scope("norms");
  std::vector<Value> moves;
  std::vector<Recorded> own;
  for (std::size_t i = 0; i < out_.parameters.size(); ++i) {
    const Value p = out_.parameters[i];
    moves.push_back(written_[i] - p);
    own.push_back({"gradient_norm/" + variable_of(p).name, global_norm({out_.gradients[i]})});
    own.push_back({"update_ratio/" + variable_of(p).name, ratio({moves[i]}, {p})});
  }
  out_.recorded = {{"gradient_norm", global_norm(out_.gradients)}, {"update_ratio", ratio(moves, out_.parameters)}};
  out_.recorded.insert(out_.recorded.end(), own.begin(), own.end());
}

}  // namespace oxbow::optim::internal
