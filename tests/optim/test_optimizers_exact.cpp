// Each optimizer in double against its recurrence in multiple precision: every step from the same state, and a run of
// a thousand steps.
#include <oxbow/graph/tensor.h>

#include <boost/test/unit_test.hpp>
#include <set>

#include "recurrences.h"
#include "support/descent.h"

BOOST_AUTO_TEST_SUITE(test_optimizers_exact)

using namespace oxbow;
using namespace oxbow::optim;
using oxbow::test::Exact;
using oxbow::test::Real;
using oxbow::test::Recurrence;
using oxbow::test::Term;

namespace {

std::vector<Term> terms(const Tensor& t) { return {t.data<double>(), t.data<double>() + t.count()}; }

// The largest error, in units of what an element may be off by: some ulps of its largest term; or 1e-12 of the largest
// change of a tensor that was `before`, and four ulps of its largest number, to which that is added.
Real worst(const Tensor& got, const std::vector<Term>& wanted, const std::vector<Term>& before, double ulps) {
  Real largest = 0, change = 0, off = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    largest = test::larger(largest, abs(wanted[i].v));
    change = test::larger(change, abs(wanted[i].v - before[i].v));
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Real allowed =
        ulps > 0 ? Real(ulps * test::ulp(wanted[i].largest)) : Real(1e-12 * change + 4 * test::ulp(largest));
    off = test::larger(off, abs(Real(got.data<double>()[i]) - wanted[i].v) / test::larger(allowed, Real(1e-300)));
  }
  return off;
}

// Of several sizes; an element without a gradient at first, and one that has none at all.
Tensor gradient_of(int t, const Shape& shape) {
  Tensor g = draw(shape, -2, 2.5, static_cast<std::uint64_t>(t), f64);
  for (std::int64_t i = 0; i < g.count(); ++i) g.data<double>()[i] *= std::pow(10.0, static_cast<double>(i % 4) - 2);
  if (t <= 3) g.data<double>()[0] = 0;
  g.data<double>()[1] = 0;
  return g;
}

void check(const Recurrence& r) {
  const Shape shape = r.vector ? Shape{5} : Shape{2, 3};
  const Tensor start = draw(shape, -1, 1, 99, f64);
  test::Descent descent(r.optimizer, start);
  const auto state = [&](Exact& e) {
    e.w = terms(descent.parameter());
    for (const std::string& s : descent.slots()) e.slots[s] = terms(descent.slot(s));
  };
  Exact one, run;
  one.rows = run.rows = static_cast<std::size_t>(shape[0]);
  one.columns = run.columns = r.vector ? 0 : static_cast<std::size_t>(shape[1]);
  state(run);
  Real step_error = 0, run_error = 0, reached = 0;
  for (int t = 1; t <= 1000; ++t) {
    const Tensor gradient = gradient_of(t, shape);
    one.t = run.t = t;
    one.g = run.g = terms(gradient);
    state(one);
    const Exact before = one;
    r.step(one);
    r.step(run);
    for (Term& w : run.w) w = Term(w.v);
    for (auto& [name, values] : run.slots)
      for (Term& v : values) v = Term(v.v);
    descent.step(gradient);
    step_error = test::larger(step_error, worst(descent.parameter(), one.w, before.w, r.ulps));
    for (const std::string& s : descent.slots())
      step_error = test::larger(step_error, worst(descent.slot(s), one.slots[s], before.slots.at(s), r.ulps));
    for (std::size_t i = 0; i < run.w.size(); ++i) {
      reached = test::larger(reached, abs(run.w[i].v));
      run_error = test::larger(run_error, abs(Real(descent.parameter().data<double>()[i]) - run.w[i].v));
    }
  }
  const std::string what = to_string(r.optimizer) + (r.vector ? " on a vector" : "");
  BOOST_TEST_MESSAGE(what << ": " << step_error.convert_to<double>() << " of what a step may be off by, run "
                          << Real(run_error / reached).convert_to<double>());
  BOOST_TEST(step_error <= 1, what << ": a step is off by " << step_error.convert_to<double>() << " of what it may be");
  BOOST_TEST(run_error <= 1e-10 * reached, what << ": a thousand steps are off by " << run_error.convert_to<double>());
}

}  // namespace

BOOST_AUTO_TEST_CASE(elementwise_optimizers_are_within_four_ulp_a_step) {
  for (const Recurrence& r : test::elementwise_recurrences()) check(r);
}

BOOST_AUTO_TEST_CASE(optimizers_with_norms_and_products_are_within_1e_12_a_step) {
  for (const Recurrence& r : test::tensor_recurrences()) check(r);
}

BOOST_AUTO_TEST_CASE(every_optimizer_has_a_recurrence_under_each_convention) {
  std::set<std::string> seen;
  const auto convention = [](const Optimizer& o) {
    for (const auto& [name, value] : o.attributes())
      if (name == "convention") return std::get<std::string>(value);
    return std::string("only");
  };
  for (const auto& list : {test::elementwise_recurrences(), test::tensor_recurrences()})
    for (const Recurrence& r : list) seen.insert(std::string(r.optimizer.name()) + " " + convention(r.optimizer));
  for (const Named& o : optimizers()) {
    const std::string name(o.optimizer.name());
    if (convention(o.optimizer) == "only") {
      BOOST_TEST(seen.count(name + " only") == 1u, name);
      continue;
    }
    BOOST_TEST(seen.count(name + " keras") == 1u, name);
    BOOST_TEST(seen.count(name + " pytorch") == 1u, name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
