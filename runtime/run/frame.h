// A Frame: the run state of one Session for one Plan, made once and used for all its runs.
// Thread safety: belongs to its Session; during a run the executor's threads read it.
#pragma once

#include <oxbow/graph/op.h>
#include <oxbow/runtime/plan.h>

namespace oxbow::internal {

class Frame {
 public:
  explicit Frame(std::shared_ptr<const Plan> plan);

  const Plan& plan() const { return *plan_; }
  const std::shared_ptr<const Plan>& shared_plan() const { return plan_; }

  /// Tell where bytes are that the plan leaves open. Each costs a few stores for each node that touches them.
  void set_arena(std::byte* bytes);
  void set_input(int i, const void* bytes) { set(Home::input, i, static_cast<std::byte*>(const_cast<void*>(bytes))); }
  void set_variable(int i, std::byte* bytes) { set(Home::variable, i, bytes); }
  /// Null: back to the arena.
  void set_fetch(int i, void* bytes);

  std::span<const ConstView> reads(const Plan::Step& s) const { return {reads_.data() + s.first_read, s.reads}; }
  std::span<const View> writes(const Plan::Step& s) const { return {writes_.data() + s.first_write, s.writes}; }
  const std::byte* fetched(int i) const;

 private:
  struct Patch {  // an operand that lies `offset` bytes into what its list is for
    bool write;
    std::uint32_t operand;
    std::int64_t offset;
  };
  std::size_t slot(Home home, int i) const;
  void set(Home home, int i, std::byte* bytes);

  std::shared_ptr<const Plan> plan_;
  std::vector<ConstView> reads_;
  std::vector<View> writes_;
  std::vector<std::byte*> bases_;           // by slot: inputs, variables, constants, fetches
  std::vector<std::uint32_t> first_patch_;  // by slot
  std::vector<Patch> patches_;
  std::byte* arena_ = nullptr;
};

}  // namespace oxbow::internal
