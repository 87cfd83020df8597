#include <oxbow/runtime/feed_journal.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace oxbow {
namespace {

constexpr std::int64_t cache_line = 64;
constexpr std::int64_t block_bytes = 64 * 1024;  // at least

std::int64_t whole_lines(std::int64_t bytes) { return (bytes + cache_line - 1) / cache_line * cache_line; }

}  // namespace

// Has the feeds' shapes at the end of `shapes_`.
std::int64_t FeedJournal::bytes_of(std::span<const Fed> feeds) {
  if (!shapes_.empty()) {
    const std::vector<Shape>& last = shapes_.back().of_feeds;
    if (std::equal(feeds.begin(), feeds.end(), last.begin(), last.end(),
                   [](const Fed& f, const Shape& s) { return f.shape == s; }))
      return shapes_.back().bytes;
  }
  Shapes now{{}, 0};
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    now.of_feeds.push_back(feeds[i].shape);
    now.bytes += whole_lines(Type{inputs_[i].type.dtype, feeds[i].shape}.bytes());
  }
  shapes_.push_back(std::move(now));
  return shapes_.back().bytes;
}

std::byte* FeedJournal::room(std::int64_t bytes) {
  while (block_ < blocks_.size() && blocks_[block_].size - filled_ < bytes) {
    ++block_;
    filled_ = 0;
  }
  if (block_ == blocks_.size()) {
    const std::int64_t size = std::max(bytes, block_bytes);
    blocks_.push_back({allocate(size), size});
  }
  return blocks_[block_].memory.get() + std::exchange(filled_, filled_ + bytes);
}

void FeedJournal::add(std::span<const Fed> feeds) {
  std::byte* to = room(bytes_of(feeds));
  entries_.push_back({to, shapes_.size() - 1});
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const std::int64_t bytes = Type{inputs_[i].type.dtype, feeds[i].shape}.bytes();
    if (bytes > 0) std::memcpy(to, feeds[i].bytes, static_cast<std::size_t>(bytes));
    to += whole_lines(bytes);
  }
}

void FeedJournal::drop_last() {
  filled_ -= shapes_[entries_.back().shapes].bytes;
  shapes_.resize(entries_.back().shapes + 1);
  entries_.pop_back();
}

void FeedJournal::clear() {
  entries_.clear();
  block_ = 0;
  filled_ = 0;
  if (shapes_.size() > 1) shapes_.erase(shapes_.begin(), shapes_.end() - 1);
}

std::vector<Fed> FeedJournal::feeds(std::size_t i) const {
  std::vector<Fed> feeds;
  const std::byte* at = entries_[i].bytes;
  for (const Shape& shape : shapes_[entries_[i].shapes].of_feeds) {
    const Type type{inputs_[feeds.size()].type.dtype, shape};
    feeds.push_back({shape, at, true});
    at += whole_lines(type.bytes());
  }
  return feeds;
}

}  // namespace oxbow
