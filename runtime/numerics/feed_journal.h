// What the latest runs of a Session were fed, copied, so that they can be repeated. A run takes few bytes and fewer
// cache lines: a journal of many runs of a tiny net would else push the net's own values out of the first cache. Thread
// safety: as its Session.
#pragma once

#include <oxbow/graph/shape.h>
#include <oxbow/runtime/program.h>

#include <memory>
#include <span>
#include <vector>

namespace oxbow {

/// What is fed to an input.
struct Fed {
  Shape shape;
  const void* bytes = nullptr;
  bool fed = false;
};

class FeedJournal {
 public:
  /// For runs that are fed one value for each of these inputs, which must outlive the journal.
  explicit FeedJournal(std::span<const Input> inputs) : inputs_(inputs) {}

  std::size_t runs() const { return entries_.size(); }
  /// Whether another run like the last one would take the journal beyond so many bytes.
  bool fills(std::int64_t bytes) const { return runs() > 0 && held_ + shapes_.back().bytes > bytes; }
  void add(std::span<const Fed> feeds);
  /// Takes back what was just added.
  void drop_last();
  /// Forgets the runs, not the memory that they took.
  void clear();
  /// What run `i` was fed, from 0; valid until it is dropped or cleared.
  std::vector<Fed> feeds(std::size_t i) const;

 private:
  struct Entry {
    const std::byte* bytes;  // the feeds' one after another, each at a cache line's begin
    std::size_t shapes;      // theirs, in `shapes_`
  };
  struct Shapes {
    std::vector<Shape> of_feeds;
    std::int64_t bytes;  // that a run takes
  };
  struct Block {
    std::shared_ptr<std::byte> memory;
    std::int64_t size;
  };
  const Shapes& shapes_of(std::span<const Fed> feeds);
  std::byte* room(std::int64_t bytes);

  std::span<const Input> inputs_;
  std::vector<Entry> entries_;
  std::vector<Shapes> shapes_;  // an entry has its own only where they differ from those of the one before
  std::vector<Block> blocks_;
  std::size_t block_ = 0;    // that is being filled
  std::int64_t filled_ = 0;  // of it
  std::int64_t held_ = 0;    // of all feeds
};

}  // namespace oxbow
