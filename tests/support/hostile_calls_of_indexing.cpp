// The calls that bytes choose from: elements by their places, and axes cut, turned and put together. A new builder is a
// line here.
#include <oxbow/ops/ops.h>

#include "hostile_calls.h"

namespace oxbow::test {
namespace {

ScatterReduction reduction(Calls& c) { return static_cast<ScatterReduction>(c.below(5)); }

}  // namespace

void add_calls_of_indexing(std::vector<Call>& all) {
  all.push_back([](Calls& c) {
    const Value x = c.operand(), indices = c.operand();
    c.keep(c.flag() ? take_along_axis(x, indices, c.few()) : gather_nd(x, indices, c.few()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), indices = c.operand(), updates = c.operand();
    c.keep(c.flag() ? scatter_elements(x, indices, updates, c.few(), reduction(c))
                    : scatter_nd(x, indices, updates, reduction(c), c.few()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), of = vector(c);
    switch (c.below(4)) {
      case 0:
        return c.keep(nonzero(of));
      case 1:
        return c.keep(unique(c.flag() ? x : of, {.sorted = c.flag()}).values);
      case 2:
        return c.keep(reverse_sequence(x, of, c.flag(), c.flag()));
      default:
        return c.keep(compress(x, of, c.few()));
    }
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    switch (c.below(8)) {
      case 0:
        return c.keep(expand_dims(x, c.axes()));
      case 1:
        return c.keep(stack(c.operands(), c.few()));
      case 2:
        return c.keep(split(x, c.number(), c.few()).at(0));
      case 3:
        return c.keep(split(x, c.numbers(), c.few()).at(0));
      case 4:
        return c.keep(flip(x, c.axes()));
      case 5:
        return c.keep(roll(x, c.number(), c.few()));
      case 6:
        return c.keep(repeat_interleave(x, c.number(), c.few()));
      default:
        return c.keep(c.flag() ? depth_to_space(x, c.number()) : space_to_depth(x, c.number()));
    }
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), begins = vector(c), ends = vector(c), steps = vector(c);
    c.keep(slice(x, begins, ends, steps, c.axes()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), pads = c.operand(), fill = c.flag() ? c.operand() : Value();
    const PadOptions options{static_cast<PadMode>(c.below(4)), fill, c.axes()};
    if (c.flag()) return c.keep(pad(x, pads, options));
    std::vector<std::pair<std::int64_t, std::int64_t>> sides(static_cast<std::size_t>(c.below(4)));
    for (auto& [before, after] : sides) before = c.few(), after = c.few();
    c.keep(pad(x, sides, options));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    c.keep(c.flag() ? sort(x, c.few(), c.flag()).values : argsort(x, c.few(), c.flag()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), k = whole(c), on = c.operand();
    const double from = c.real();
    switch (c.below(5)) {
      case 0:
        return c.keep(c.flag() ? triu(x, k) : tril(x, c.number()));
      case 1:
        return c.keep(eye_like(x, c.number()));
      case 2:
        return c.keep(full(vector(c), x));
      case 3:
        return c.keep(one_hot(x, k, x, on, c.few()));
      default:
        return c.keep(linspace(c.graph(), from, 2 * from, c.few()));
    }
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), length = c.flag() ? whole(c) : Value();
    const DftOptions options{c.few(), length, c.flag(), c.flag()};
    c.keep(c.flag() ? dft(x, options) : stft(x, c.few(), c.flag() ? c.operand() : Value(), {.length = c.few()}));
  });
}

}  // namespace oxbow::test
