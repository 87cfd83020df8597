// Every op of the catalogue on every one of its samples (tests/samples/): values, gradients, second order, single
// precision, in place, text. What an op must satisfy is written here once; an op adds samples only. Labels: levels, figures.
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/ops.h>
#include <oxbow/ops/reduction.h>

#include <algorithm>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>
#include <string>

#include "samples/sample.h"
#include "support/figures.h"
#include "support/interpreter.h"

BOOST_AUTO_TEST_SUITE(test_ops)

using namespace oxbow;
using test::interpret;

namespace {

struct Case {
  std::string op;
  test::Sample sample;
};
std::ostream& operator<<(std::ostream& s, const Case& c) { return s << c.op << ", " << c.sample.what; }

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& [name, samples] : test::all_samples())
    for (const test::Sample& s : samples) cases.push_back({name, s});
  return cases;
}
const std::vector<Case>& cases() {
  static const std::vector<Case> all = all_cases();
  return all;
}

double element(const Tensor& t, std::int64_t i) {
  return dispatch(t.dtype(), [&]<class T>(std::type_identity<T>) { return static_cast<double>(t.data<T>()[i]); });
}

// The same numbers in single precision; integers and truth values stay.
Tensor narrowed(const Tensor& t) {
  if (t.dtype() != f64) return t;
  Tensor out({f32, t.shape(), t.type().layout});
  std::transform(t.span<double>().begin(), t.span<double>().end(), out.data<float>(),
                 [](double x) { return static_cast<float>(x); });
  return out;
}

std::vector<Tensor> narrowed(std::vector<Tensor> tensors) {
  for (Tensor& t : tensors) t = narrowed(t);
  return tensors;
}

std::vector<Tensor> widened(std::vector<Tensor> tensors) {
  for (Tensor& t : tensors) {
    if (t.dtype() != f32) continue;
    Tensor wide({f64, t.shape(), t.type().layout});
    std::copy(t.span<float>().begin(), t.span<float>().end(), wide.data<double>());
    t = wide;
  }
  return tensors;
}

// |a - b| <= bound max(1, |b|, largest |b| of the tensor / 16): sums cancel, so errors follow the larger terms.
void check_close(const Tensor& a, const Tensor& b, double bound, const std::string& what) {
  BOOST_REQUIRE_MESSAGE(a.shape() == b.shape(), what << ": " << to_string(a.type()) << " but " << to_string(b.type()));
  double largest = 1;
  for (std::int64_t i = 0; i < b.count(); ++i)
    if (std::isfinite(element(b, i))) largest = std::max(largest, std::abs(element(b, i)) / 16);
  for (std::int64_t i = 0; i < a.count(); ++i) {
    const double x = element(a, i), y = element(b, i);
    const bool same = x == y || (std::isnan(x) && std::isnan(y));
    if (!same && !(std::abs(x - y) <= bound * std::max(largest, std::abs(y))))
      BOOST_ERROR(what << ": element " << i << " is " << x << ", not " << y);
  }
}

// An op in a graph: its inputs fed, its outputs, and a loss that weights every element of them differently.
struct Built {
  Graph g;
  std::vector<Value> inputs, outputs;
  Value loss;
  test::Tensors feeds;

  Built(const Op& op, const std::vector<Tensor>& tensors) {
    for (const Tensor& t : tensors) {
      if (op.info().by_value.contains(static_cast<int>(inputs.size()))) {
        inputs.push_back(constant(g, t));
        continue;
      }
      const std::string name = "in" + std::to_string(inputs.size());
      inputs.push_back(g.append(ops::Input{.name = name, .type = t.type(), .free_axes = {}}, {}, {}).output());
      feeds.emplace(name, t);
    }
    const Node n = g.append(op, inputs, At::current());
    for (int i = 0; i < n.output_count(); ++i) outputs.push_back(n.output(i));
    loss = weighted(outputs, 1000);
  }

  /// The sum over all floating-point elements, each times a fixed weight of its own.
  Value weighted(const std::vector<Value>& values, std::uint64_t seed) {
    Value total;
    for (const Value& v : values) {
      if (!v || !is_float(v.dtype())) continue;
      const Value weights = cast(constant(g, draw(v.shape(), 0.5, 1.5, seed++)), v.dtype());
      const Value term = cast(sum(v * weights), f64);
      total = total ? total + term : term;
    }
    return total;
  }
};

// Whether there are gradients to compare: rounding to less than f64 has differences too coarse for that.
bool differentiable(const Op& op, const std::vector<Tensor>& inputs) {
  Built b(op, inputs);
  for (const Value& y : b.outputs)
    if (is_float(y.dtype()) && y.dtype() != f64) return false;
  const Node n = b.outputs[0].node();
  std::vector<Value> dy;
  for (const Value& y : b.outputs) dy.push_back(is_float(y.dtype()) ? y : Value());
  if (!b.loss) return false;
  return n.op().gradient(n, dy).refusal().empty();
}

// d loss / d input by central differences in double, of fourth order.
Tensor numeric(const Built& b, Value of, const std::string& input) {
  test::Tensors feeds = b.feeds;
  Tensor x = feeds.at(input).clone();
  feeds.at(input) = x;
  Tensor slopes(x.type());
  for (std::int64_t i = 0; i < x.count(); ++i) {
    double& place = x.data<double>()[i];
    const double at = place, h = 2.5e-4;
    const auto value = [&](double offset) {
      place = at + offset;
      return interpret({of}, feeds)[0].item<double>();
    };
    slopes.data<double>()[i] = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
    place = at;
  }
  return slopes;
}

void check_gradients(Built& b, Value of, double bound, const std::string& order) {
  std::vector<Value> x;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < b.inputs.size(); ++i) {
    if (b.inputs[i].dtype() != f64 || !b.inputs[i].node().op().is<ops::Input>()) continue;
    x.push_back(b.inputs[i]);
    names.push_back("in" + std::to_string(i));
  }
  if (x.empty()) return;
  const std::vector<Value> dx = gradients(of, x);
  const std::vector<Tensor> analytic = interpret(dx, b.feeds);
  static std::set<std::string, std::less<>> ops;  // of all tests; the last figure counts
  static std::size_t elements = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    check_close(analytic[i], numeric(b, of, names[i]), bound, order + " gradient to " + names[i]);
    elements += static_cast<std::size_t>(analytic[i].count());
  }
  ops.emplace(b.outputs[0].node().op().name());
  test::figure("gradients", test::counted(elements) + " derivatives of " + std::to_string(ops.size()) +
                                " ops, of first and second order, against central differences in double: within 1e-6");
}

}  // namespace

// Leaves compute nothing. What passes make is tested through what it is made of. What owns graphs has its own tests, of
// a graph of any size (test_control).
BOOST_AUTO_TEST_CASE(an_op_that_computes_has_samples) {
  const Catalog leaves = Catalog::leaves();
  for (const auto& [name, entry] : catalog().entries()) {
    const bool apart = leaves.find(name) || entry.made == Made::by_passes || !entry.op.subgraphs().empty();
    BOOST_TEST((apart || !test::samples_of(name).empty()), name << " has no samples");
  }
}

BOOST_AUTO_TEST_CASE(samples_are_of_ops_of_the_catalogue) {
  for (const Case& c : cases()) {
    BOOST_TEST(catalog().entries().contains(c.op), c.op << " is not in the catalogue");
    BOOST_TEST(c.sample.op.name() == c.op);
  }
}

BOOST_DATA_TEST_CASE(values, boost::unit_test::data::make(cases())) {
  const auto& [name, s] = sample;
  const std::vector<Tensor> got = interpret(s.op, s.inputs), want = s.reference(s.inputs);
  BOOST_REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    check_close(got[i], want[i], got[i].dtype() == f32 ? 1e-6 : 1e-12, "output " + std::to_string(i));
}

BOOST_DATA_TEST_CASE(single_precision_is_near_double, boost::unit_test::data::make(cases())) {
  const auto& [name, s] = sample;
  const std::vector<Tensor> narrow = narrowed(s.inputs);
  const std::vector<Tensor> got = interpret(s.op, narrow), want = interpret(s.op, widened(narrow));
  for (std::size_t i = 0; i < got.size(); ++i) check_close(got[i], want[i], 2e-6, "output " + std::to_string(i));
}

BOOST_DATA_TEST_CASE(gradients_equal_central_differences, boost::unit_test::data::make(cases())) {
  const auto& [name, s] = sample;
  if (!differentiable(s.op, s.inputs)) return;
  Built b(s.op, s.inputs);
  check_gradients(b, b.loss, 1e-6, "first");
}

BOOST_DATA_TEST_CASE(second_order_gradients_too, boost::unit_test::data::make(cases())) {
  const auto& [name, s] = sample;
  std::int64_t elements = 0;
  for (const Tensor& t : s.inputs) elements += t.count();
  if (!s.smooth || elements > 400 || !differentiable(s.op, s.inputs)) return;
  Built b(s.op, s.inputs);
  std::vector<Value> x;
  for (const Value& v : b.inputs)
    if (v.dtype() == f64 && v.node().op().is<ops::Input>()) x.push_back(v);
  if (x.empty()) return;
  const Value slope = b.weighted(gradients(b.loss, x), 2000);
  if (slope) check_gradients(b, slope, 1e-6, "second");
}

BOOST_DATA_TEST_CASE(refusals_say_why, boost::unit_test::data::make(cases())) {
  const auto& [name, s] = sample;
  if (std::none_of(s.inputs.begin(), s.inputs.end(), [](const Tensor& t) { return is_float(t.dtype()); })) return;
  Built b(s.op, s.inputs);
  const Node n = b.outputs[0].node();
  std::vector<Value> dy;
  for (const Value& y : b.outputs) dy.push_back(is_float(y.dtype()) ? y : Value());
  const Grads grads = n.op().gradient(n, dy);
  if (b.loss && grads.refusal().empty())
    BOOST_TEST(grads.values().size() == static_cast<std::size_t>(n.input_count()));
  else
    BOOST_TEST(grads.refusal().size() > 8U);
}

BOOST_DATA_TEST_CASE(in_place_is_the_same, boost::unit_test::data::make(cases())) {
  const auto& [name, s] = sample;
  if (!s.op.has_run() && !s.op.has_tile()) return;
  for (const bool narrow : {false, true}) {
    const std::vector<Tensor> in = narrow ? narrowed(s.inputs) : s.inputs;
    std::vector<Type> types;
    for (const Tensor& t : in) types.push_back(t.type());
    const std::vector<Type> out = s.op.infer(types, Known(in, s.op.info().inputs));
    const std::vector<Tensor> apart = interpret(s.op, in);
    const std::vector<InputSet> allowed = s.op.overwrites(types);
    for (int i = 0; i < static_cast<int>(in.size()); ++i)
      for (std::size_t o = 0; o < out.size() && o < allowed.size(); ++o) {
        const Type& type = types[static_cast<std::size_t>(i)];
        if (!allowed[o].contains(i) || type.bytes() != out[o].bytes() || type.count() != out[o].count()) continue;
        const std::vector<Tensor> in_place = interpret(s.op, in, {.output = static_cast<int>(o), .input = i});
        for (std::size_t k = 0; k < apart.size(); ++k)
          BOOST_TEST(same_bits(in_place[k], apart[k]), "output " << k << ", with output " << o << " over input " << i);
      }
  }
}

// Of an op with several outputs, each may be one that nobody reads: the others are the same, and none is written.
BOOST_DATA_TEST_CASE(an_unread_output_is_left_out, boost::unit_test::data::make(cases())) {
  const auto& [name, s] = sample;
  const std::vector<Tensor> all = interpret(s.op, s.inputs);
  const Names& outputs = s.op.info().outputs;
  if (all.size() < 2) return;
  for (int unread = 0; unread < static_cast<int>(all.size()); ++unread) {
    BOOST_TEST(outputs.optional(unread), "output " << outputs.of(unread) << " has a place also where nobody reads it");
    if (!s.op.has_run()) continue;  // it lowers to others, of which unread ones go
    const std::vector<Tensor> some = interpret(s.op, s.inputs, {.unread = unread});
    for (int k = 0; k < static_cast<int>(all.size()); ++k)
      if (k != unread)
        BOOST_TEST(same_bits(some[static_cast<std::size_t>(k)], all[static_cast<std::size_t>(k)]), "output " << k);
  }
}

BOOST_DATA_TEST_CASE(text_reads_back, boost::unit_test::data::make(cases())) {
  const auto& [name, s] = sample;
  Built b(s.op, s.inputs);
  for (std::size_t i = 0; i < b.outputs.size(); ++i) b.g.add_output("y" + std::to_string(i), b.outputs[i]);
  const std::string text = print(b.g);
  const std::unique_ptr<Graph> back = parse(text, catalog());
  BOOST_TEST(equal(*back, b.g));
  BOOST_TEST(print(*back) == text);
}

BOOST_AUTO_TEST_SUITE_END()
