#include <oxbow/graph/support/align.h>
#include <oxbow/runtime/numerics/feed_journal.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace oxbow::internal {
namespace {

constexpr std::int64_t block_bytes = 64 * 1024;  // at least

}  // namespace

bool FeedJournal::is_last_form(std::span<const Fed> feeds) const {
  if (forms_.empty()) return false;
  const auto same = [](const Fed& now, const Fed& last) {
    return now.shape == last.shape && (now.handed_over ? now.bytes : nullptr) == last.bytes;
  };
  const std::vector<Fed>& last = forms_.back().feeds;
  return std::equal(feeds.begin(), feeds.end(), last.begin(), last.end(), same);
}

void FeedJournal::add_form(std::span<const Fed> feeds) {
  Form form;
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const Fed& f = feeds[i];
    const std::int64_t bytes = aligned(Type{inputs_[i].type.dtype, f.shape}.bytes());
    (f.handed_over ? form.handed_over : form.copied) += bytes;
    form.feeds.push_back(f.handed_over ? f : Fed{.shape = f.shape, .fed = true});
  }
  forms_.push_back(std::move(form));
}

// A block of an earlier time that is too small gives way to one that is not.
std::byte* FeedJournal::room(std::int64_t bytes) {
  if (filled_ > 0 && blocks_[block_].size - filled_ < bytes) {
    ++block_;
    filled_ = 0;
  }
  if (block_ == blocks_.size()) blocks_.push_back({nullptr, 0});
  Block& block = blocks_[block_];
  if (block.size < bytes || block.memory == nullptr) {
    block = {nullptr, 0};  // freed before the new one is there
    const std::int64_t size = std::max(bytes, block_bytes);
    block = {allocate(size), size};
  }
  return block.memory.get() + std::exchange(filled_, filled_ + bytes);
}

void FeedJournal::add(std::span<const Fed> feeds) {
  if (!is_last_form(feeds)) add_form(feeds);
  const Form& form = forms_.back();
  std::byte* to = room(form.copied);
  entries_.push_back({to, forms_.size() - 1});
  held_ += added_by_last();
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    if (feeds[i].handed_over) continue;
    const std::int64_t bytes = Type{inputs_[i].type.dtype, feeds[i].shape}.bytes();
    if (bytes > 0) std::memcpy(to, feeds[i].bytes, static_cast<std::size_t>(bytes));
    to += aligned(bytes);
  }
}

// To what is held. Tensors that were handed over count with the first of the runs that are fed the same ones.
std::int64_t FeedJournal::added_by_last() const {
  const Form& form = forms_.back();
  const bool first = entries_.size() == 1 || (entries_.end() - 2)->form != entries_.back().form;
  return form.copied + (first ? form.handed_over : 0);
}

void FeedJournal::drop_last() {
  filled_ -= forms_.back().copied;
  held_ -= added_by_last();
  entries_.pop_back();
  if (!entries_.empty()) forms_.resize(entries_.back().form + 1);
}

void FeedJournal::clear() {
  entries_.clear();
  blocks_.resize(std::min(blocks_.size(), block_ + 1));
  block_ = 0;
  filled_ = held_ = 0;
  if (forms_.size() > 1) forms_.erase(forms_.begin(), forms_.end() - 1);
}

std::vector<Fed> FeedJournal::feeds(std::size_t i) const {
  std::vector<Fed> feeds = forms_[entries_[i].form].feeds;
  const std::byte* at = entries_[i].bytes;
  for (std::size_t k = 0; k < feeds.size(); ++k) {
    if (feeds[k].handed_over) continue;
    feeds[k].bytes = at;
    at += aligned(Type{inputs_[k].type.dtype, feeds[k].shape}.bytes());
  }
  return feeds;
}

}  // namespace oxbow::internal
