#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/random.h>
#include <oxbow/optim/dataset.h>

#include <algorithm>
#include <cstring>
#include <numeric>

namespace oxbow {
using namespace internal;

namespace {

std::int64_t row_bytes(const Type& t) { return t.shape.count(1, t.shape.rank()) * size_of(t.dtype); }

Type with_rows(const Type& t, std::int64_t rows) { return {t.dtype, t.shape.with(0, rows)}; }

// Null where there is none of this name.
template <class Column>
const Column* find_column(const std::vector<std::pair<std::string, Column>>& columns, std::string_view name) {
  for (const auto& [own, column] : columns)
    if (own == name) return &column;
  return nullptr;
}

}  // namespace

Dataset::Dataset(std::initializer_list<Column> columns) {
  for (const auto& [name, tensor] : columns) add(name, tensor);
}

void Dataset::check_new(const std::string& name) const {
  if (contains(name)) throw Error("the data have two columns " + in_quotes(name));
}

void Dataset::check_new(const std::string& name, const Type& type) const {
  check_new(name);
  if (type.shape.rank() == 0)
    throw Error("column " + in_quotes(name) + " is a scalar, but its first axis must be the samples\n  add_shared(" +
                in_quotes(name) + ", tensor) gives every batch the same");
  if (const std::vector<std::string> before = names(); before.size() > shared_.size() && type.shape[0] != size_)
    throw Error("column " + in_quotes(name) + " is " + to_string(type) + ", but " + in_quotes(before[0]) + " is " +
                to_string(this->type(before[0])) + ": all columns need the same number of samples");
}

void Dataset::add(std::string name, Tensor tensor) {
  check_new(name, tensor.type());
  size_ = tensor.shape()[0];
  columns_.emplace_back(std::move(name), std::move(tensor));
}

void Dataset::add(std::string name, Rows rows) {
  check_new(name, rows.type());
  size_ = rows.size();
  made_.emplace_back(std::move(name), std::move(rows));
}

void Dataset::add_shared(std::string name, Tensor tensor) {
  check_new(name);
  shared_.emplace_back(std::move(name), std::move(tensor));
}

std::vector<std::string> Dataset::names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : columns_) names.push_back(name);
  for (const auto& [name, rows] : made_) names.push_back(name);
  for (const auto& [name, tensor] : shared_) names.push_back(name);
  return names;
}

bool Dataset::contains(std::string_view name) const {
  return find_column(columns_, name) != nullptr || find_column(made_, name) != nullptr || is_shared(name);
}

bool Dataset::is_shared(std::string_view name) const { return find_column(shared_, name) != nullptr; }

const Tensor& Dataset::operator[](std::string_view name) const {
  if (const Tensor* tensor = find_column(columns_, name)) return *tensor;
  if (const Tensor* tensor = find_column(shared_, name)) return *tensor;
  if (find_column(made_, name))
    throw Error("column " + in_quotes(name) +
                " is made row by row, so there is no tensor of it. data.load() makes one, in memory");
  const std::vector<std::string> known = names();
  throw Error("the data have no column " + in_quotes(name) + "." + did_you_mean(name, known) +
              (known.empty() ? " They have none" : " They have " + quoted(known)));
}

Type Dataset::type(std::string_view name) const {
  const Rows* made = find_column(made_, name);
  return made ? made->type() : (*this)[name].type();
}

Dataset Dataset::map(std::string_view column, RowFunction f, std::uint64_t seed) const {
  if (is_shared(column))
    throw Error("column " + in_quotes(column) +
                " belongs to no sample, so it has no rows to map. Change the tensor "
                "before add_shared");
  Dataset mapped = *this;
  if (const Rows* made = find_column(made_, column)) {
    std::find_if(mapped.made_.begin(), mapped.made_.end(), [&](const auto& c) { return c.first == column; })->second =
        made->map(std::move(f), seed);
    return mapped;
  }
  mapped.made_.emplace_back(column, Rows((*this)[column]).map(std::move(f), seed));
  std::erase_if(mapped.columns_, [&](const Column& c) { return c.first == column; });
  return mapped;
}

Dataset Dataset::load() const {
  Dataset loaded = *this;
  for (const auto& [name, rows] : made_) loaded.columns_.emplace_back(name, rows.tensor());
  loaded.made_.clear();
  return loaded;
}

Dataset Dataset::rows(std::int64_t begin, std::int64_t end) const {
  if (begin < 0 || end < begin || end > size_)
    throw Error("rows " + std::to_string(begin) + " to " + std::to_string(end) + " were asked for, but the data have " +
                std::to_string(size_));
  Dataset part;
  for (const auto& [name, tensor] : columns_) {
    std::byte* first = const_cast<std::byte*>(tensor.bytes()) + begin * row_bytes(tensor.type());
    const std::shared_ptr<const Tensor> whole = std::make_shared<const Tensor>(tensor);
    part.add(name, Tensor(with_rows(tensor.type(), end - begin), std::shared_ptr<std::byte>(whole, first)));
  }
  for (const auto& [name, column] : made_) part.add(name, column.rows(begin, end));
  part.shared_ = shared_;
  return part;
}

Tensor windows(const Tensor& series, std::int64_t length, std::int64_t stride) {
  const Type& type = series.type();
  if (type.shape.rank() == 0 || length < 1 || stride < 1 || type.shape[0] < length)
    throw Error("windows: there are no pieces of " + std::to_string(length) + " rows, one from each " +
                std::to_string(stride) + " on, of a series " + to_string(type) +
                "\n  Give at most as many rows as the series has, and numbers of at least 1");
  const std::int64_t pieces = (type.shape[0] - length) / stride + 1, row = row_bytes(type);
  Tensor all({type.dtype, type.shape.with(0, length).inserted(0, pieces)});
  for (std::int64_t i = 0; i < pieces && row > 0; ++i)
    std::memcpy(all.bytes() + i * length * row, series.bytes() + i * stride * row,
                static_cast<std::size_t>(length * row));
  return all;
}

Batch::Batch(const Dataset& data, std::span<const std::string> names, std::int64_t batch) {
  for (const std::string& name : names) {
    const auto made =
        std::find_if(data.made().begin(), data.made().end(), [&](const auto& c) { return c.first == name; });
    if (made != data.made().end())
      sources_.push_back({{}, made->second});
    else
      sources_.push_back({data[name], {}, data.is_shared(name)});
    buffers_.push_back(data.is_shared(name) ? data[name] : Tensor(with_rows(data.type(name), batch)));
  }
}

void Batch::gather(std::span<const std::int64_t> rows, std::int64_t epoch) {
  rows_ = static_cast<std::int64_t>(rows.size());
  for (std::size_t c = 0; c < sources_.size(); ++c) {
    if (sources_[c].shared) continue;
    const std::int64_t bytes = row_bytes(buffers_[c].type());
    if (bytes == 0) continue;
    const std::byte* from = sources_[c].tensor.bytes();
    std::byte* to = buffers_[c].bytes();
    for (const std::int64_t row : rows) {
      if (sources_[c].made)
        sources_[c].made->make(row, epoch, to);
      else
        std::memcpy(to, from + row * bytes, static_cast<std::size_t>(bytes));
      to += bytes;
    }
  }
}

Type Batch::type(std::size_t column) const {
  const Type& buffer = buffers_[column].type();
  return sources_[column].shared ? buffer : with_rows(buffer, rows_);
}

void shuffle(std::vector<std::int64_t>& order, std::int64_t n, std::uint64_t seed, std::uint32_t epoch) {
  constexpr std::uint32_t stream = 0xda7a;  // apart from the graph's own, which count from 1
  order.resize(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) {
    const RandomBlock bits = random_block(seed, epoch, stream, static_cast<std::uint64_t>(i));
    const std::uint64_t draw = std::uint64_t{bits[0]} << 32 | bits[1];
    // The upper half of draw * (i + 1): from 0 to i, all as likely but for one part in 2^64 / (i + 1).
    const auto j =
        static_cast<std::int64_t>(static_cast<unsigned __int128>(draw) * static_cast<std::uint64_t>(i + 1) >> 64);
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
  }
}

}  // namespace oxbow
