#include <oxbow/graph/support/random.h>
#include <oxbow/optim/rows.h>

#include <cstring>

namespace oxbow {
using namespace internal;

namespace {

[[noreturn]] void no_such_row(std::int64_t row, std::int64_t count) {
  throw Error("row " + std::to_string(row) + " was asked for, but the data have " + std::to_string(count));
}

}  // namespace

double Draws::uniform() {
  constexpr std::uint32_t stream = 0xda7b;  // apart from the graph's own, which count from 1
  // 2^20 blocks a row: who draws more in one begins the next one's.
  const RandomBlock bits = random_block(seed_, static_cast<std::uint32_t>(epoch_), stream,
                                        static_cast<std::uint64_t>(row_) << 20 | (drawn_ / 2 & 0xfffff));
  const std::size_t half = drawn_++ % 2 * 2;
  const std::uint64_t draw = std::uint64_t{bits[half]} << 32 | bits[half + 1];
  return static_cast<double>(draw >> 11) * 0x1p-53;
}

std::int64_t Draws::below(std::int64_t count) {
  if (count < 1) throw Error("Draws: there is no number below " + std::to_string(count) + " to draw. Give at least 1");
  return static_cast<std::int64_t>(uniform() * static_cast<double>(count));
}

Rows::Rows(const Type& row, std::int64_t count, Make make)
    : row_(row), count_(count), make_(std::make_shared<const Make>(std::move(make))) {
  if (count < 0) throw Error("Rows: there are " + std::to_string(count) + " rows. Give at least 0");
  if (row.shape.rank() == Shape::max_rank)
    throw Error("Rows: a row is " + to_string(row) + ", but the rows' number is an axis too. Give one axis less");
}

Rows::Rows(Tensor tensor) {
  const Type& type = tensor.type();
  if (type.shape.rank() == 0) throw Error("Rows: a scalar has none. Give a tensor whose first axis is the rows");
  count_ = type.shape[0];
  row_ = {type.dtype, type.shape.without(0)};
  const std::int64_t bytes = row_.bytes();
  make_ = std::make_shared<const Make>([tensor, bytes](std::int64_t row, std::int64_t, std::byte* to) {
    if (bytes > 0) std::memcpy(to, tensor.bytes() + row * bytes, static_cast<std::size_t>(bytes));
  });
}

Type Rows::type() const { return {row_.dtype, row_.shape.inserted(0, count_)}; }

void Rows::make(std::int64_t row, std::int64_t epoch, std::byte* to) const {
  if (row < 0 || row >= count_) no_such_row(row, count_);
  (*make_)(chosen_ ? (*chosen_)[static_cast<std::size_t>(row)] : first_ + row, epoch, to);
}

Tensor Rows::operator[](std::int64_t row) const {
  Tensor one(row_);
  make(row, 0, one.bytes());
  return one;
}

Tensor Rows::tensor() const {
  Tensor all(type());
  for (std::int64_t i = 0; i < count_; ++i) make(i, 0, all.bytes() + i * row_.bytes());
  return all;
}

Rows Rows::take(std::span<const std::int64_t> rows) const {
  auto chosen = std::make_shared<std::vector<std::int64_t>>();
  chosen->reserve(rows.size());
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= count_) no_such_row(row, count_);
    chosen->push_back(chosen_ ? (*chosen_)[static_cast<std::size_t>(row)] : first_ + row);
  }
  Rows part = *this;
  part.count_ = std::ssize(rows);
  part.chosen_ = std::move(chosen);
  return part;
}

Rows Rows::rows(std::int64_t begin, std::int64_t end) const {
  if (begin < 0 || end < begin || end > count_)
    throw Error("rows " + std::to_string(begin) + " to " + std::to_string(end) + " were asked for, but the data have " +
                std::to_string(count_));
  Rows part = *this;
  part.count_ = end - begin;
  if (chosen_)
    part.chosen_ = std::make_shared<const std::vector<std::int64_t>>(chosen_->begin() + begin, chosen_->begin() + end);
  else
    part.first_ += begin;
  return part;
}

Rows Rows::map(RowFunction f, std::uint64_t seed) const {
  Type becomes = row_;
  if (count_ > 0) {
    Draws draws(seed, 0, 0);
    becomes = f((*this)[0], draws).type();
  }
  return {becomes, count_,
          [from = *this, f = std::move(f), seed, becomes](std::int64_t row, std::int64_t epoch, std::byte* to) {
            Tensor before(from.row_);
            from.make(row, epoch, before.bytes());
            Draws draws(seed, epoch, row);
            const Tensor after = f(before, draws);
            if (after.type() != becomes)
              throw Error("map: row " + std::to_string(row) + " became " + to_string(after.type()) + ", but row 0 " +
                          to_string(becomes) + ". Make all of one type");
            if (becomes.bytes() > 0) std::memcpy(to, after.bytes(), static_cast<std::size_t>(becomes.bytes()));
          }};
}

}  // namespace oxbow
