// The tables that ops make of shapes before anything runs: an index for each place of a padded axis, weights for each
// of a resized one, taps for each row of a convolution. A text of a line may ask for ones of gigabytes, so each is
// claimed before it is made, and all of a rewriting, or of a plan, count together. Thread safety: each thread counts
// its own.
#pragma once

#include <cstdint>

namespace oxbow::internal {

/// While it stands, what this thread claims is added to `bytes`; within another, to that one's.
class CountTables {
 public:
  explicit CountTables(std::int64_t& bytes);
  ~CountTables();
  CountTables(const CountTables&) = delete;
  CountTables& operator=(const CountTables&) = delete;

 private:
  std::int64_t* outer_;
};

/// For a table of so many entries of so many bytes. Throws `OpError` where those of `limits::table_bytes` are used up;
/// where nothing counts, for this table alone.
void claim_table(std::int64_t entries, std::int64_t entry_bytes);

}  // namespace oxbow::internal
