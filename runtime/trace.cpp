#include <oxbow/runtime/plan.h>
#include <oxbow/runtime/trace.h>

#include <chrono>

namespace oxbow {
namespace {

std::int64_t clock_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void Trace::start(const std::shared_ptr<const Plan>& plan, int workers) {
  workers_ = workers;
  if (plan_ != plan) {
    plan_ = plan;
    events_.clear();
    first_event_.clear();
    for (const Plan::Group& g : plan->groups)
      for (std::uint32_t s = g.first; s < g.last; ++s) {
        first_event_.push_back(static_cast<std::uint32_t>(events_.size()));
        for (std::uint32_t c = 0; c < g.chunks; ++c)
          events_.push_back({.node = plan->steps[s].node,
                             .step = s,
                             .chunk = static_cast<std::int32_t>(c),
                             .chunks = static_cast<std::int32_t>(g.chunks)});
      }
  }
  for (Event& e : events_) {
    e.worker = -1;
    e.begin = e.end = 0;
  }
  wall_ = 0;
  epoch_ = clock_now();
}

std::int64_t Trace::now() const { return clock_now() - epoch_; }

const Graph& Trace::graph() const { return *plan_->graph; }

}  // namespace oxbow
