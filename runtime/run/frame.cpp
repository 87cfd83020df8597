#include <oxbow/graph/leaves.h>
#include <oxbow/runtime/run/frame.h>

namespace oxbow::internal {

Frame::Frame(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {
  const Plan& p = *plan_;
  bases_.resize(p.inputs.size() + p.variables.size() + p.constants.size() + p.fetches.size());
  for (const auto& o : p.reads) reads_.push_back({o.type, nullptr});
  for (const auto& o : p.writes) writes_.push_back({o.type, nullptr});

  first_patch_.resize(bases_.size() + 1);
  const auto each = [&](auto&& f) {
    for (std::size_t i = 0; i < p.reads.size(); ++i) f(p.reads[i].place, false, i);
    for (std::size_t i = 0; i < p.writes.size(); ++i) f(p.writes[i].place, true, i);
  };
  const auto open = [](const Place& at) { return at.home != Home::none && at.home != Home::arena; };
  each([&](const Place& at, bool, std::size_t) {
    if (open(at)) ++first_patch_[slot(at.home, at.index) + 1];
  });
  for (std::size_t s = 1; s < first_patch_.size(); ++s) first_patch_[s] += first_patch_[s - 1];
  patches_.resize(first_patch_.back());
  std::vector<std::uint32_t> next(first_patch_.begin(), first_patch_.end() - 1);
  each([&](const Place& at, bool write, std::size_t i) {
    if (open(at)) patches_[next[slot(at.home, at.index)]++] = {write, static_cast<std::uint32_t>(i), at.offset};
  });

  for (std::size_t c = 0; c < p.constants.size(); ++c) {
    const auto& constant = *p.graph->node(p.constants[c].node).op().as<ops::Constant>();
    set(Home::constant, static_cast<int>(c), const_cast<std::byte*>(constant.value.bytes()));
  }
}

std::size_t Frame::slot(Home home, int i) const {
  auto s = static_cast<std::size_t>(i);
  if (home == Home::input) return s;
  s += plan_->inputs.size();
  if (home == Home::variable) return s;
  s += plan_->variables.size();
  if (home == Home::constant) return s;
  return s + plan_->constants.size();
}

void Frame::set(Home home, int i, std::byte* bytes) {
  const std::size_t s = slot(home, i);
  if (bases_[s] == bytes) return;
  bases_[s] = bytes;
  for (std::uint32_t k = first_patch_[s]; k < first_patch_[s + 1]; ++k) {
    const Patch& patch = patches_[k];
    if (patch.write)
      writes_[patch.operand].bytes = bytes + patch.offset;
    else
      reads_[patch.operand].bytes = bytes + patch.offset;
  }
}

void Frame::set_arena(std::byte* bytes) {
  if (arena_ == bytes) return;
  const Plan& p = *plan_;
  for (std::size_t f = 0; f < p.fetches.size(); ++f)
    if (p.fetches[f].variable < 0) {
      auto*& base = bases_[slot(Home::fetch, static_cast<int>(f))];
      if (!base || base == arena_ + p.fetches[f].offset)
        set(Home::fetch, static_cast<int>(f), bytes + p.fetches[f].offset);
    }
  arena_ = bytes;
  for (std::size_t i = 0; i < p.reads.size(); ++i)
    if (p.reads[i].place.home == Home::arena) reads_[i].bytes = bytes + p.reads[i].place.offset;
  for (std::size_t i = 0; i < p.writes.size(); ++i)
    if (p.writes[i].place.home == Home::arena) writes_[i].bytes = bytes + p.writes[i].place.offset;
}

void Frame::set_fetch(int i, void* bytes) {
  const Plan::Fetch& fetch = plan_->fetches[static_cast<std::size_t>(i)];
  if (fetch.variable < 0) set(Home::fetch, i, bytes ? static_cast<std::byte*>(bytes) : arena_ + fetch.offset);
}

const std::byte* Frame::fetched(int i) const {
  const Plan::Fetch& fetch = plan_->fetches[static_cast<std::size_t>(i)];
  return bases_[fetch.variable >= 0 ? slot(Home::variable, fetch.variable) : slot(Home::fetch, i)];
}

}  // namespace oxbow::internal
