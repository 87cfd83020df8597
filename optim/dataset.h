// Data to train on: named tensors whose first axes have the same size, row i of each together being sample i. The names
// are those of the graph's inputs. Tensors are shared, not copied. A column may also be rows that are made when they
// are asked for (optim/rows.h): what trains, evaluates and predicts takes both. Beside columns there may be tensors
// that belong to no sample, for inputs without an axis of samples. Thread safety: read by any number of threads.
#pragma once

#include <oxbow/optim/rows.h>

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace oxbow {

/// How rows are parted into those to train on and those to validate or test with.
struct SplitOptions {
  bool shuffle = true;     ///< in an order drawn from the seed, the same on every machine; else in the data's order
  std::uint64_t seed = 0;  ///< scikit-learn: random_state
  /// A column of whole numbers, labels: each occurs in both parts as often as the fraction says, to a row.
  std::string stratify = {};
};

class Dataset {
 public:
  using Column = std::pair<std::string, Tensor>;

  Dataset() = default;
  /// `Dataset data{{"x", images}, {"label", labels}};` Throws `Error` as `add` does.
  Dataset(std::initializer_list<Column> columns);

  /// Throws `Error` for a name that is taken, a scalar, or another number of rows than the other columns have.
  void add(std::string name, Tensor tensor);
  void add(std::string name, Rows rows);
  /// A tensor that every batch gets whole, for an input without an axis of samples: a scalar that weighs two losses, a
  /// table of distances. What is split, taken or mapped keeps it. Throws `Error` for a name that is taken.
  void add_shared(std::string name, Tensor tensor);

  /// The number of samples; 0 without columns.
  std::int64_t size() const { return size_; }
  const std::vector<Column>& columns() const { return columns_; }                  ///< those that are tensors
  const std::vector<std::pair<std::string, Rows>>& made() const { return made_; }  ///< and those made row by row
  const std::vector<Column>& shared() const { return shared_; }                    ///< what belongs to no sample
  std::vector<std::string> names() const;                                          ///< of all, in this order
  bool contains(std::string_view name) const;
  bool is_shared(std::string_view name) const;
  /// Throws `Error` with near names when there is no such column, and for one that is made row by row.
  const Tensor& operator[](std::string_view name) const;
  /// Of a column, its rows being the first axis, or of what is shared. Throws `Error` when there is none of that name.
  Type type(std::string_view name) const;

  /// With what `f` makes of each row in place of a column: random changes to pictures (optim/image.h), say. They are
  /// made when they are asked for, anew in each epoch. Throws `Error` as `Rows::map` does.
  Dataset map(std::string_view column, RowFunction f, std::uint64_t seed = 0) const;
  /// With all columns in memory: what is made row by row is made once, as outside of training.
  Dataset load() const;

  /// Rows from `begin` up to but without `end`, sharing the bytes. Throws `Error` when there are no such rows.
  Dataset rows(std::int64_t begin, std::int64_t end) const;
  /// These rows, in this order; a row may come several times. Those of tensors are copied. Throws `Error` for one that
  /// there is not.
  Dataset take(std::span<const std::int64_t> rows) const;
  Dataset take(std::initializer_list<std::int64_t> rows) const { return take(std::span(rows.begin(), rows.size())); }

  /// Data to train on, and `fraction` of the rows (rounded down) to validate or test with, drawn without order: rows of
  /// a sorted file, or of one class after another, come into both. `{.shuffle = false}` takes the last rows instead,
  /// without a copy: of a time series the later part. scikit-learn: train_test_split.
  std::pair<Dataset, Dataset> split(double fraction, const SplitOptions& options = {}) const;
  /// The same for cross-validation: the second part is fold number `which`, from 0, of `folds` that hold each row once.
  /// Without shuffling and labels a fold is rows that follow one another. scikit-learn: KFold, StratifiedKFold.
  std::pair<Dataset, Dataset> fold(int which, int folds, const SplitOptions& options = {}) const;

 private:
  void check_new(const std::string& name) const;
  void check_new(const std::string& name, const Type& type) const;
  std::vector<Column> columns_;
  std::vector<std::pair<std::string, Rows>> made_;
  std::vector<Column> shared_;
  std::int64_t size_ = 0;
};

/// Pieces of `length` rows of a series [n, ...], one from each `stride`-th row on: [pieces, length, ...]. What follows
/// each row of a piece is the piece one longer, without its first: `windows(text, 65)` for 64 letters and their next
/// ones. Throws `Error` unless the series has an axis, length and stride are at least 1, and there is a piece.
Tensor windows(const Tensor& series, std::int64_t length, std::int64_t stride = 1);

/// Copies rows of a dataset's columns together, or has them made. The buffers are as long as `batch` rows and never
/// move, so a session may read them in place; gathering allocates nothing, unless what makes rows does.
class Batch {
 public:
  /// Buffers for `batch` rows of the columns called `names`. Throws `Error` when a column is missing.
  Batch(const Dataset& data, std::span<const std::string> names, std::int64_t batch);

  /// Row `rows[i]` of every column becomes row i; what is shared stays. At most `batch` rows, each within the dataset.
  void gather(std::span<const std::int64_t> rows, std::int64_t epoch = 0);
  std::int64_t size() const { return rows_; }
  /// The type of column i as last gathered, and its bytes.
  Type type(std::size_t column) const;
  const std::byte* bytes(std::size_t column) const { return buffers_[column].bytes(); }

 private:
  struct Source {
    Tensor tensor;
    std::optional<Rows> made;  // in its place
    bool shared = false;       // the buffer is the tensor
  };
  std::vector<Source> sources_;
  std::vector<Tensor> buffers_;
  std::int64_t rows_ = 0;
};

/// Numbers 0 to n - 1 in an order drawn from (seed, epoch): the same on every machine (Fisher and Yates 1938, on the
/// counter-based generator of graph/support/random.h). `order` keeps its memory.
void shuffle(std::vector<std::int64_t>& order, std::int64_t n, std::uint64_t seed, std::uint32_t epoch);

}  // namespace oxbow
