// What the latest runs of a Session were fed, so that they can be repeated: copied, but for what was handed over, which
// nobody writes again and is kept instead. A run takes few bytes and fewer cache lines: a journal of many runs of a
// tiny net would else push the net's own values out of the first cache. Thread safety: as its Session.
#pragma once

#include <oxbow/graph/tensor.h>
#include <oxbow/runtime/program.h>

#include <memory>
#include <span>
#include <vector>

namespace oxbow::internal {

/// What is fed to an input.
struct Fed {
  Shape shape;
  const void* bytes = nullptr;
  bool fed = false;
  Tensor kept = {};          ///< that holds the bytes; none where they are the caller's
  bool handed_over = false;  ///< nobody else holds `kept`: the bytes stay as they are
};

class FeedJournal {
 public:
  /// For runs that are fed one value for each of these inputs, which must outlive the journal.
  explicit FeedJournal(std::span<const ops::Input> inputs) : inputs_(inputs) {}

  std::size_t runs() const { return entries_.size(); }
  /// Whether another run like the last one would take the journal beyond so many bytes.
  bool fills(std::int64_t bytes) const { return runs() > 0 && held_ + added_by_last() > bytes; }
  void add(std::span<const Fed> feeds);
  /// Takes back what was just added.
  void drop_last();
  /// Forgets the runs, not the memory that they took.
  void clear();
  /// What run `i` was fed, from 0; valid until it is dropped or cleared.
  std::vector<Fed> feeds(std::size_t i) const;

 private:
  struct Entry {
    const std::byte* bytes;  // the copied ones' one after another, each at a cache line's begin
    std::size_t form;        // in `forms_`
  };
  struct Form {
    std::vector<Fed> feeds;        // bytes only of what was handed over
    std::int64_t copied = 0;       // bytes that a run takes
    std::int64_t handed_over = 0;  // bytes that are kept
  };
  struct Block {
    std::shared_ptr<std::byte> memory;
    std::int64_t size;
  };
  bool is_last_form(std::span<const Fed> feeds) const;
  void add_form(std::span<const Fed> feeds);
  std::int64_t added_by_last() const;
  std::byte* room(std::int64_t bytes);

  std::span<const ops::Input> inputs_;
  std::vector<Entry> entries_;
  std::vector<Form> forms_;  // an entry has its own only where it differs from that of the one before
  std::vector<Block> blocks_;
  std::size_t block_ = 0;    // that is being filled
  std::int64_t filled_ = 0;  // of it
  std::int64_t held_ = 0;    // of all feeds
};

}  // namespace oxbow::internal
