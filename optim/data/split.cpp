// Numbers by number, and which of them are to train on and which to validate or test with.
#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/dataset.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

namespace oxbow {
using namespace internal;

namespace {

using Numbers = std::vector<std::int64_t>;

Numbers ordered(std::int64_t rows, const SplitOptions& options) {
  Numbers order(static_cast<std::size_t>(rows));
  if (options.shuffle)
    shuffle(order, rows, options.seed, 0);  // fit's epochs are from 1
  else
    std::iota(order.begin(), order.end(), std::int64_t{0});
  return order;
}

// Of each row the number of its class, from 0 in the order of the labels; all the same without labels.
Numbers classes_of(const Dataset& data, const std::string& column) {
  Numbers classes(static_cast<std::size_t>(data.size()));
  if (column.empty()) return classes;
  const auto made =
      std::find_if(data.made().begin(), data.made().end(), [&](const auto& c) { return c.first == column; });
  const Tensor labels = made != data.made().end() ? made->second.tensor() : data[column];
  if (is_float(labels.dtype()) || labels.count() != data.size())
    throw Error("the data cannot be stratified by column " + in_quotes(column) + ", " + to_string(labels.type()) +
                ": give one whole number a row, its label");
  dispatch(labels.dtype(), [&]<class T>(std::type_identity<T>) {
    const T* values = labels.data<T>();
    for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<std::int64_t>(values[i]);
  });
  std::map<std::int64_t, std::int64_t> numbers;
  for (const std::int64_t label : classes) numbers[label] = 0;
  std::int64_t next = 0;
  for (auto& [label, number] : numbers) number = next++;
  for (std::int64_t& c : classes) c = numbers[c];
  return classes;
}

Numbers counts_of(const Numbers& classes) {
  Numbers counts;
  for (const std::int64_t c : classes) {
    if (c >= std::ssize(counts)) counts.resize(static_cast<std::size_t>(c) + 1);
    ++counts[static_cast<std::size_t>(c)];
  }
  return counts;
}

// How many rows of each class are held back, `held` together: to a row what is due, the largest fractions rounded up.
Numbers shares(const Numbers& counts, std::int64_t held, std::int64_t rows) {
  Numbers share;
  std::vector<std::pair<__int128, std::size_t>> rests;  // negative, so that the largest comes first
  std::int64_t left = held;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const __int128 due = static_cast<__int128>(counts[c]) * held;
    share.push_back(static_cast<std::int64_t>(due / rows));
    rests.emplace_back(-(due % rows), c);
    left -= share.back();
  }
  std::sort(rests.begin(), rests.end());
  for (std::int64_t i = 0; i < left; ++i) ++share[rests[static_cast<std::size_t>(i)].second];
  return share;
}

std::pair<Dataset, Dataset> parted(const Dataset& data, const Numbers& order, const std::vector<bool>& held) {
  Numbers first, second;
  for (std::size_t i = 0; i < order.size(); ++i) (held[i] ? second : first).push_back(order[i]);
  return {data.take(first), data.take(second)};
}

}  // namespace

Dataset Dataset::take(std::span<const std::int64_t> rows) const {
  for (const std::int64_t row : rows)
    if (row < 0 || row >= size_)
      throw Error("row " + std::to_string(row) + " was asked for, but the data have " + std::to_string(size_));
  Dataset taken;
  for (const auto& [name, tensor] : columns_) {
    Tensor part(Type{tensor.dtype(), tensor.shape().with(0, std::ssize(rows))});
    const std::int64_t bytes = size_ > 0 ? tensor.type().bytes() / size_ : 0;
    std::byte* to = part.bytes();
    for (const std::int64_t row : rows) {
      if (bytes > 0) std::memcpy(to, tensor.bytes() + row * bytes, static_cast<std::size_t>(bytes));
      to += bytes;
    }
    taken.add(name, std::move(part));
  }
  for (const auto& [name, column] : made()) taken.add(name, column.take(rows));
  taken.shared_ = shared_;
  return taken;
}

std::pair<Dataset, Dataset> Dataset::split(double fraction, const SplitOptions& options) const {
  if (!(fraction >= 0 && fraction <= 1))
    throw Error("the data cannot be split at " + short_number(fraction) + ": give a fraction from 0 to 1");
  const auto count = static_cast<std::int64_t>(fraction * static_cast<double>(size_));
  if (!options.shuffle && options.stratify.empty()) return {rows(0, size_ - count), rows(size_ - count, size_)};
  const Numbers order = ordered(size_, options), classes = classes_of(*this, options.stratify);
  Numbers left = size_ > 0 ? shares(counts_of(classes), count, size_) : Numbers{};
  std::vector<bool> held(order.size());
  for (std::size_t i = order.size(); i-- > 0;) {  // the last rows of each class
    std::int64_t& wanted = left[static_cast<std::size_t>(classes[static_cast<std::size_t>(order[i])])];
    held[i] = wanted > 0;
    wanted -= held[i];
  }
  return parted(*this, order, held);
}

std::pair<Dataset, Dataset> Dataset::fold(int which, int folds, const SplitOptions& options) const {
  if (folds < 2 || folds > size_ || which < 0 || which >= folds)
    throw Error("there is no fold " + std::to_string(which) + " of " + std::to_string(folds) + " of data that have " +
                std::to_string(size_) + " rows. Give at least 2 folds, a row each, and a number from 0 on");
  const Numbers order = ordered(size_, options), classes = classes_of(*this, options.stratify);
  // Class by class, and within one in order, rows have places 0, 1, ... in turn.
  Numbers place = counts_of(classes);
  std::exclusive_scan(place.begin(), place.end(), place.begin(), std::int64_t{0});
  std::vector<bool> held(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::int64_t at = place[static_cast<std::size_t>(classes[static_cast<std::size_t>(order[i])])]++;
    held[i] = (options.stratify.empty() ? at * folds / size_ : at % folds) == which;
  }
  return parted(*this, order, held);
}

}  // namespace oxbow
