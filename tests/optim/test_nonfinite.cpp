// Loss scaling, and steps whose gradients have a NaN or Inf.
#include <oxbow/optim/optimizers/sgd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "support/message.h"
#include "support/slopes.h"

BOOST_AUTO_TEST_SUITE(test_nonfinite)

using namespace oxbow;
using namespace oxbow::optim;
using namespace oxbow::test;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

BOOST_AUTO_TEST_CASE(a_scaled_loss_gives_the_same_steps) {
  Run1 plain("adam", {}), scaled("adam", {.loss_scale = LossScale{.dynamic = false}}),
      dynamic("adam", {.loss_scale = LossScale{}});
  for (int t = 0; t < 5; ++t)
    for (Run1* r : {&plain, &scaled, &dynamic}) r->run({1e-3, 2, -3, 0.1 * t, 5, 6});
  for (const Run1* r : {&scaled, &dynamic}) close(r->values("first/weight"), plain.values("first/weight"), 0);
  BOOST_TEST(scaled.value("optimizer/loss_scale") == 65536);
}

BOOST_AUTO_TEST_CASE(a_dynamic_scale_shrinks_on_overflow_and_grows_again) {
  Run1 r(SGD{.learning_rate = 1, .momentum = 0.5}, {.loss_scale = LossScale{.initial = 8, .interval = 3}});
  double scale = 8;
  int good = 0, steps = 0, skipped = 0;
  for (const double slope : {1.0, infinity, 1.0, 1.0, 1.0, 1.0, std::nan(""), 1.0, 1.0, 1.0}) {
    const std::vector<double> before = r.values("first/weight");
    r.run({slope, 0, 0, 0, 0, 0});
    if (std::isfinite(slope)) {
      ++steps;
      if (++good == 3) {
        scale *= 2;
        good = 0;
      }
      BOOST_TEST(r.values("first/weight") != before);
    } else {
      ++skipped;
      scale /= 2;
      good = 0;
      close(r.values("first/weight"), before, 0);
    }
    BOOST_TEST(r.value("optimizer/loss_scale") == scale);
    BOOST_TEST(r.store.get("optimizer/step").item<std::int64_t>() == steps);
    BOOST_TEST(r.store.get("optimizer/skipped").item<std::int64_t>() == skipped);
  }
}

BOOST_AUTO_TEST_CASE(gradients_that_are_not_finite) {
  for (const double bad : {std::nan(""), infinity, -infinity}) {
    Run1 keep("adam", {});
    keep.run({1, bad, 1, 1, 1, 1});
    BOOST_TEST(std::isnan(keep.values("first/weight")[1]));
    BOOST_TEST(std::isfinite(keep.values("first/weight")[0]));

    Run1 skip("adam", {.clip = {.global_norm = 1}, .average = EMA{}, .nonfinite = Nonfinite::skip});
    skip.run({1, 2, 3, 4, 5, 6});
    const Store before = skip.store.snapshot();
    skip.run({1, bad, 1, 1, 1, 1});
    for (const std::string& name : skip.store.names())
      if (name != "optimizer/skipped") BOOST_TEST(same_bits(skip.store.get(name), before.get(name)), name);
    BOOST_TEST(skip.store.get("optimizer/skipped").item<std::int64_t>() == 1);
    skip.run({1, 2, 3, 4, 5, 6});
    BOOST_TEST(skip.store.get("optimizer/step").item<std::int64_t>() == 2);

    Run1 fail("adam", {.nonfinite = Nonfinite::fail});
    fail.run({1, 2, 3, 4, 5, 6});
    const Store good = fail.store.snapshot();
    const std::string said = message([&] { fail.run({1, bad, 1, 1, 1, 1}); });
    BOOST_TEST(said.find("the gradient of first/weight has a NaN or Inf") != std::string::npos, said);
    BOOST_TEST(said.find("Variables are as before this step") != std::string::npos, said);
    for (const std::string& name : fail.store.names())
      BOOST_TEST(same_bits(fail.store.get(name), good.get(name)), name);
    fail.run({1, 2, 3, 4, 5, 6});
    BOOST_TEST(fail.store.get("optimizer/step").item<std::int64_t>() == 2);
  }
}

BOOST_AUTO_TEST_SUITE_END()
