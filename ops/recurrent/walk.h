// The way through the steps, the same for all cells: a cell says what a step does with all rows of a part, with one row
// that has the step, and with one that has not. Internal to ops/recurrent; safe from any thread.
#pragma once

#include <oxbow/graph/op.h>
#include <oxbow/ops/independent.h>
#include <oxbow/ops/recurrent/steps.h>

#include <algorithm>
#include <span>

namespace oxbow::ops::recurrent {

/// The rows of the batch that a part takes through the steps, and where they begin in what a node reads and writes.
class Part {
 public:
  Part(const Sizes& s, const Run& r)
      : sizes(s), first(s.first_row(r.part)), rows(s.rows_of(r.part)), units(s.units), run_(r), scratch_(r.scratch) {}

  const Sizes& sizes;
  std::int64_t first, rows, units;

  /// Of an input of so many elements a row; null where it is absent.
  template <class T>
  const T* in(int i, std::int64_t width) const {
    return run_.has(i) ? run_.in<T>(i) + first * width : nullptr;
  }
  /// Of an output; null where nobody wants it.
  template <class T>
  T* out(int i, std::int64_t width) const {
    return run_.wants(i) ? run_.out<T>(i) + first * width : nullptr;
  }
  /// Room in scratch for so many elements.
  template <class T>
  T* take(std::int64_t elements) {
    return recurrent::take<T>(scratch_, elements);
  }

 private:
  const Run& run_;
  std::byte* scratch_;
};

/// A step's place in time, where its rows begin among [time x batch] ones, and those of the step before; that is -1 for
/// the first one.
struct Step {
  std::int64_t place = 0, at = 0, before = -1;
};

inline Step step_of(std::int64_t k, const Sizes& s, bool reverse) {
  const std::int64_t place = place_of(k, s.time, reverse);
  return {place, place * s.batch, k == 0 ? -1 : place_of(k - 1, s.time, reverse) * s.batch};
}

/// A state of all rows of a part, going through the steps.
template <class T>
struct State {
  const T* before;  // [rows, units]: before the step; in the end, after all of them
  T* kept;          // [time, batch, units] from the part's first row on, or null
  T* own;           // room for [rows, units], where it is not kept
  T* now = nullptr;
};

/// From the first step to the last. `all(step)` reads the states before; then `row(step, i)` writes those of row i
/// after the step; of a row that has not the step the states stay, and `skip(step, i)` says so.
template <class T, class All, class Row, class Skip>
void walk(const Part& p, const std::int64_t* lengths, bool reverse, std::span<State<T>> states, All all, Row row,
          Skip skip) {
  const std::int64_t u = p.units;
  for (std::int64_t k = 0; k < p.sizes.time; ++k) {
    const Step s = step_of(k, p.sizes, reverse);
    for (State<T>& x : states) x.now = x.kept ? x.kept + s.at * u : x.own;
    all(s);
    for (std::int64_t i = 0; i < p.rows; ++i) {
      if (!lengths || s.place < lengths[i]) {
        row(s, i);
        continue;
      }
      for (State<T>& x : states)
        if (x.before != x.now) std::copy_n(x.before + i * u, u, x.now + i * u);
      skip(s, i);
    }
    for (State<T>& x : states) x.before = x.now;
  }
}

/// From the last step to the first: `begin(step)`, `row(step, i)` or `skip(step, i)` of each row, `end(step)`.
template <class Begin, class Row, class Skip, class End>
void walk_back(const Part& p, const std::int64_t* lengths, bool reverse, Begin begin, Row row, Skip skip, End end) {
  for (std::int64_t k = p.sizes.time - 1; k >= 0; --k) {
    const Step s = step_of(k, p.sizes, reverse);
    begin(s);
    for (std::int64_t i = 0; i < p.rows; ++i)
      if (!lengths || s.place < lengths[i])
        row(s, i);
      else
        skip(s, i);
    end(s);
  }
}

/// y += x
template <class T>
void add(std::int64_t count, const T* x, T* y) {
  independent(0, count, [=](std::int64_t j) { y[j] += x[j]; });
}

/// x, or zeros.
template <class T>
void start(std::int64_t count, const T* x, T* y) {
  if (x)
    std::copy_n(x, count, y);
  else
    std::fill_n(y, count, T(0));
}

}  // namespace oxbow::ops::recurrent
