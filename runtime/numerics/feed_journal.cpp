#include <oxbow/graph/align.h>
#include <oxbow/runtime/numerics/feed_journal.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace oxbow {
namespace {

constexpr std::int64_t block_bytes = 64 * 1024;  // at least

}  // namespace

// The last of `shapes_`, where they are added unless they stand there.
const FeedJournal::Shapes& FeedJournal::shapes_of(std::span<const Fed> feeds) {
  if (!shapes_.empty()) {
    const std::vector<Shape>& last = shapes_.back().of_feeds;
    if (std::equal(feeds.begin(), feeds.end(), last.begin(), last.end(),
                   [](const Fed& f, const Shape& s) { return f.shape == s; }))
      return shapes_.back();
  }
  Shapes now{{}, 0};
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    now.of_feeds.push_back(feeds[i].shape);
    now.bytes += aligned(Type{inputs_[i].type.dtype, feeds[i].shape}.bytes());
  }
  return shapes_.emplace_back(std::move(now));
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
  const std::int64_t all = shapes_of(feeds).bytes;
  std::byte* to = room(all);
  entries_.push_back({to, shapes_.size() - 1});
  held_ += all;
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const std::int64_t bytes = Type{inputs_[i].type.dtype, feeds[i].shape}.bytes();
    if (bytes > 0) std::memcpy(to, feeds[i].bytes, static_cast<std::size_t>(bytes));
    to += aligned(bytes);
  }
}

void FeedJournal::drop_last() {
  const Shapes& shapes = shapes_[entries_.back().shapes];
  filled_ -= shapes.bytes;
  held_ -= shapes.bytes;
  entries_.pop_back();
  if (!entries_.empty()) shapes_.resize(entries_.back().shapes + 1);
}

void FeedJournal::clear() {
  entries_.clear();
  blocks_.resize(std::min(blocks_.size(), block_ + 1));
  block_ = 0;
  filled_ = held_ = 0;
  if (shapes_.size() > 1) shapes_.erase(shapes_.begin(), shapes_.end() - 1);
}

std::vector<Fed> FeedJournal::feeds(std::size_t i) const {
  std::vector<Fed> feeds;
  const std::byte* at = entries_[i].bytes;
  for (const Shape& shape : shapes_[entries_[i].shapes].of_feeds) {
    const Type type{inputs_[feeds.size()].type.dtype, shape};
    feeds.push_back({shape, at, true});
    at += aligned(type.bytes());
  }
  return feeds;
}

}  // namespace oxbow
