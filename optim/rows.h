// A column of data whose rows are made when they are asked for: pictures that are decoded, a file that is larger than
// memory, a function of one's own. A `Dataset` (optim/dataset.h) has such columns beside tensors.
//
//   const Rows waves(Type{f32, {100}}, 10'000, [](std::int64_t row, std::int64_t epoch, std::byte* to) { ... });
//
// What a row holds follows from its number and the epoch alone, so that a training that is resumed sees the same bits;
// `Draws` gives random numbers that do. Thread safety: rows are made by any number of threads at once, so the functions
// that make them must allow that. Copies share them.
#pragma once

#include <oxbow/graph/tensor.h>

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace oxbow {

/// Random numbers for one row in one epoch: the same at each call, on every machine (Philox, as
/// graph/support/random.h).
class Draws {
 public:
  Draws(std::uint64_t seed, std::int64_t epoch, std::int64_t row) : seed_(seed), epoch_(epoch), row_(row) {}

  double uniform();                        ///< from 0 up to but without 1
  std::int64_t below(std::int64_t count);  ///< a whole number from 0 to count - 1. Throws `Error` for a count below 1
  bool chance(double p) { return uniform() < p; }

 private:
  std::uint64_t seed_;
  std::int64_t epoch_, row_;
  std::uint64_t drawn_ = 0;
};

/// Makes a row of another one. It is called by several threads at once.
using RowFunction = std::function<Tensor(const Tensor& row, Draws& draws)>;

class Rows {
 public:
  /// Writes row `row` to `to`. `epoch` counts from 1 in `fit`, and is 0 elsewhere.
  using Make = std::function<void(std::int64_t row, std::int64_t epoch, std::byte* to)>;

  /// `count` rows of this type. Throws `Error` for a negative count.
  Rows(const Type& row, std::int64_t count, Make make);
  /// Those of a tensor, which stays where it is: parts of it are not copies. Throws `Error` for a scalar.
  explicit Rows(Tensor tensor);

  std::int64_t size() const { return count_; }
  const Type& row() const { return row_; }  ///< of one of them
  Type type() const;                        ///< of all: the rows' number is the first axis

  /// Throws `Error` for a row that there is not, and what the function throws.
  void make(std::int64_t row, std::int64_t epoch, std::byte* to) const;
  /// Row number `row` alone.
  Tensor operator[](std::int64_t row) const;
  /// All of them, in memory.
  Tensor tensor() const;

  /// These rows, in this order; nothing is copied. Throws `Error` for one that there is not.
  Rows take(std::span<const std::int64_t> rows) const;
  /// Rows from `begin` up to but without `end`.
  Rows rows(std::int64_t begin, std::int64_t end) const;
  /// What `f` makes of each. Its draws follow from the seed, the epoch and the row's number here: two columns that are
  /// mapped with one seed are drawn alike, a picture and its mask. All results must be of one type: the first's is
  /// taken. Throws what `f` throws, and later `Error` for a result of another type.
  Rows map(RowFunction f, std::uint64_t seed = 0) const;

 private:
  Type row_;
  std::int64_t count_ = 0, first_ = 0;                            // number 0 is number `first_` of `make_`,
  std::shared_ptr<const std::vector<std::int64_t>> chosen_ = {};  // or of these
  std::shared_ptr<const Make> make_;
};

}  // namespace oxbow
