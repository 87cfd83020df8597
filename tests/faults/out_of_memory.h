// What the tests of memory that runs out share: a model that has all that a state can hold, and functions of which
// every allocation fails in turn. For one thread.
#pragma once

#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>
#include <string_view>

#include "runtime/allocations.h"
#include "support/figures.h"
#include "support/temporary_folder.h"

namespace oxbow::test {

inline Dataset samples(std::uint64_t seed) {
  return {{"x", draw({11, 3}, -1, 1, seed, f32)}, {"y", draw({11, 1}, -1, 1, seed + 1, f32)}};
}
inline const Dataset train = samples(1), held_out = samples(3);

// A loss whose model has all that a state can hold: averages, gathered gradients, a schedule that looks at results,
// batch statistics, random numbers.
struct Net {
  Graph g;
  Value x, hidden, loss;
  Net() {
    x = input(g, "x", f32, {any(4), 3});
    const Value y = input(g, "y", f32, {any(4), 1});
    hidden = dense(dropout(batch_norm(dense(x, 5)), 0.2), 4, {.activation = tanh}).named("hidden");
    loss = mean(square(dense(hidden, 1) - y)).named("loss");
  }
  const optim::Optimizer optimizer =
      optim::SGD{.learning_rate = optim::Plateau{.initial = 0.1, .patience = 0}, .momentum = 0.9};
  const Pool pool = Pool(2);
  ModelOptions options() const {
    return {.metrics = {{"same", loss}},
            .minimize = {.accumulate = 2, .average = optim::EMA{.decay = 0.9}},
            .predictions = hidden,
            .pool = pool};
  }
  Model model() const { return compile(loss, optimizer, options()); }
};

// Tries of what compiles are long: not each allocation of those.
inline constexpr std::int64_t compiling = 101;

inline FitOptions options(int epochs) {
  return {.epochs = epochs,
          .batch_size = 4,
          .validation = held_out,
          .early_stopping = EarlyStopping{.patience = 9},
          .resume = true};
}

// All that a training's state holds, as the bytes of its file.
inline std::string state_of(const Model& model) {
  const TemporaryFolder folder;
  model.save(folder / "state", Saved::training);
  return folder.read("state");
}

// Every allocation of a pure function fails: afterwards it gives what it gave before. `show` makes what it gives
// comparable.
template <class F, class Show = std::identity>
void check_pure(std::string_view what, const F& f, const Show& show = {}) {
  const auto expected = show(f());
  auto got = f();
  BOOST_TEST_CONTEXT(what) {
    with_failing_allocations([&] { got = f(); },
                             [&](bool) {
                               BOOST_REQUIRE(show(got) == expected);
                               BOOST_REQUIRE(show(f()) == expected);
                             });
  }
}

// The figure of a file's tests: how often an allocation has failed since it was asked for last.
inline void count_failures(const std::string& where, const std::string& what) {
  figure("allocations in " + where,
         counted(failed_allocations()) + " tries of " + what + " with failing allocations: 0 aborts, 0 lost values");
}

}  // namespace oxbow::test
