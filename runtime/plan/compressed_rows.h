// Rows of numbers, one row after another in one array: compressed sparse rows (CSR), as a graph's edges by vertex.
// Thread safety: a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace oxbow::internal {

struct CompressedRows {
  std::vector<std::uint32_t> first, items;  ///< row i is items[first[i]] up to items[first[i + 1]]

  std::span<const std::uint32_t> operator[](std::size_t i) const {
    return {items.data() + first[i], items.data() + first[i + 1]};
  }
  std::size_t size() const { return first.size() - 1; }

  struct Entry {
    std::uint32_t row, item;
  };
  /// So many rows; within each, the items in the order of `entries`.
  static CompressedRows of(std::size_t rows, std::span<const Entry> entries) {
    CompressedRows r;
    r.first.resize(rows + 1);
    r.items.resize(entries.size());
    for (const Entry& e : entries) ++r.first[e.row + 1];
    for (std::size_t i = 0; i < rows; ++i) r.first[i + 1] += r.first[i];
    std::vector<std::uint32_t> at(r.first.begin(), r.first.end() - 1);
    for (const Entry& e : entries) r.items[at[e.row]++] = e.item;
    return r;
  }
};

}  // namespace oxbow::internal
