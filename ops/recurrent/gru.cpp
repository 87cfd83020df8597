#include <oxbow/ops/linalg.h>
#include <oxbow/ops/math.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/recurrent.h>
#include <oxbow/ops/recurrent/gru.h>
#include <oxbow/ops/recurrent/plan.h>
#include <oxbow/ops/recurrent/walk.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>

namespace oxbow::ops {

using namespace recurrent;

namespace {

// Where a row's gates, and what is beside them, are kept; null where they are not.
template <class T>
struct Kept {
  T *gates, *inner;
};

// A row's gates and its state after a step, of x from outside and `past` from the state. `inner` is what `kept` has of
// the candidate's, r what its reset gate is, and n what it adds up to.
template <class T, class Reset, class Candidate, class Inner>
void step(std::int64_t units, const T* x, const T* past, const T* h_before, T* h, Kept<T> kept, Reset reset,
          Candidate candidate, Inner inner) {
  const std::int64_t u = units;
  const auto cell = [=](std::int64_t j, auto keep) {
    const T z = math::sigmoid(x[j] + past[j]), r = reset(j), n = candidate(j, r), before = h_before[j];
    h[j] = z * before + (T(1) - z) * n;
    keep(z, r, n, before);
  };
  if (!kept.gates && !kept.inner) return independent(0, u, [=](std::int64_t j) { cell(j, [](T, T, T, T) {}); });
  independent(0, u, [=](std::int64_t j) {
    cell(j, [=](T z, T r, T n, T before) {
      if (kept.gates) {
        kept.gates[j] = z;
        kept.gates[u + j] = r;
        kept.gates[2 * u + j] = n;
      }
      if (kept.inner) kept.inner[j] = inner(j, r, before);
    });
  });
}

template <class T>
void forward(const Gru& op, const Plan& p, const Run& r) {
  Part part(p.sizes, r);
  const std::int64_t rows = part.rows, u = part.units, wide = 3 * u;
  const T *const x = part.in<T>(0, wide), *const recurrent = r.in<T>(1), *const bias = r.has(3) ? r.in<T>(3) : nullptr;
  T *const gates = part.out<T>(2, wide), *const inner = part.out<T>(3, u);
  T *const past = part.take<T>(rows * wide), *const reset = part.take<T>(rows * u);
  State<T> states[]{{part.in<T>(2, u), part.out<T>(0, u), part.take<T>(rows * u)}};
  const State<T>& h = states[0];
  const auto with_bias = [&](std::int64_t from, std::int64_t count) {
    if (!bias) return;
    for (std::int64_t i = 0; i < rows; ++i) add(count, bias + from, past + i * wide + from);
  };
  walk<T>(
      part, part.in<std::int64_t>(4, 1), op.reverse, states,
      [&](Step s) {
        p.product.multiply(r.part, h.before, recurrent, past);
        if (op.reset_after) return with_bias(0, wide);
        with_bias(0, 2 * u);
        for (std::int64_t i = 0; i < rows; ++i) {  // past is r then, where the product was
          const T *const row_x = x + (s.at + i) * wide + u, *const before = h.before + i * u;
          T *const gate = past + i * wide + u, *const row = reset + i * u;
          independent(0, u, [=](std::int64_t j) {
            const T open = math::sigmoid(row_x[j] + gate[j]);
            gate[j] = open;
            row[j] = open * before[j];
          });
        }
        p.inner.multiply(r.part, reset, recurrent + 2 * u, past + 2 * u);
        with_bias(2 * u, u);
      },
      [&](Step s, std::int64_t i) {
        const T *const row_x = x + (s.at + i) * wide, *const row = past + i * wide;
        const Kept<T> kept{gates ? gates + (s.at + i) * wide : nullptr, inner ? inner + (s.at + i) * u : nullptr};
        const auto go = [&](auto... f) { step(u, row_x, row, h.before + i * u, h.now + i * u, kept, f...); };
        if (op.reset_after)
          go([=](std::int64_t j) { return math::sigmoid(row_x[u + j] + row[u + j]); },
             [=](std::int64_t j, T open) { return math::tanh(row_x[2 * u + j] + open * row[2 * u + j]); },
             [=](std::int64_t j, T, T) { return row[2 * u + j]; });
        else
          go([=](std::int64_t j) { return row[u + j]; },
             [=](std::int64_t j, T) { return math::tanh(row_x[2 * u + j] + row[2 * u + j]); },
             [=](std::int64_t, T open, T before) { return open * before; });
      },
      [&](Step s, std::int64_t i) {
        if (gates) std::fill_n(gates + (s.at + i) * wide, wide, T(0));
        if (inner) std::fill_n(inner + (s.at + i) * u, u, T(0));
      });
  if (T* const last = part.out<T>(1, u)) std::copy_n(h.before, rows * u, last);
}

}  // namespace

std::vector<Type> Gru::infer(Types in) const {
  const Type& x = in[0];
  check_dtype(dtypes::Floats{}, x, "x");
  if (x.shape.rank() != 3 || x.shape[0] < 1 || x.shape[2] % 3 != 0)
    throw OpError("x is " + to_string(x),
                  "Give at least one step, [time, batch, 3 units]: what comes to each gate from outside");
  const std::int64_t units = x.shape[2] / 3;
  const Type h{x.dtype, {x.shape[1], units}}, each{x.dtype, x.shape.with(2, units)};
  check_is("recurrent", in[1], {x.dtype, {units, 3 * units}});
  check_is("h", in[2], h);
  if (in.size() > 3) check_may_be("recurrent_bias", in[3], {x.dtype, {3 * units}});
  if (in.size() > 4) check_may_be("lengths", in[4], {i64, {x.shape[1]}});
  return {each, h, x, each};
}

Prepared<Plan> Gru::prepare(Types in) const {
  const DType dtype = in[0].dtype;
  const std::int64_t units = in[1].shape[0], wide = 3 * units;
  auto plan = std::make_shared<Plan>();
  plan->sizes = Sizes(in[0].shape.with(2, units), wide);
  const Sizes& s = plan->sizes;
  plan->product = StepProduct(dtype, s, {reset_after ? wide : 2 * units, units, units, wide, wide}, false);
  if (!reset_after) plan->inner = StepProduct(dtype, s, {units, units, units, wide, wide}, false);
  return {work_of(dtype, s, units, scratch_of(dtype, {s.rows * wide, s.rows * units, s.rows * units}),
                  {.products = 6 * units, .others = 50, .numbers = 8}),
          plan};
}

void Gru::run(const Run& r, const Plan& p) const {
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) { forward<T>(*this, p, r); });
}

Grads Gru::gradient(const Node& n, Values dy) const {
  const Value recurrent = n.input(1), h = n.input(2), states = n.output(0), inner = n.output(3);
  const Node back =
      apply(GruGradient{reset_after, reverse},
            {n.output(2), inner, states, h, transpose(recurrent, {1, 0}), dy[0], dy[1], dy[2], dy[3], n.input(4)},
            At::current())
          .node();
  const Value dx = back.output(0), to_product = reset_after ? back.output(1) : dx;
  const std::int64_t units = h.shape()[1];
  const Value weights = reset_after ? to_recurrent(states, h, to_product, reverse)
                                    : concat({to_recurrent(states, h, slice(dx, 2, 0, 2 * units), reverse),
                                              contract(inner, slice(dx, 2, 2 * units))},
                                             1);
  return {dx, weights, back.output(2), n.input(3) ? sum(to_product, {0, 1}) : Value(), Value()};
}

}  // namespace oxbow::ops

namespace oxbow {

StatesResult gru(Value x, Value recurrent, Value h, const GruOptions& options, At at) {
  const Value lengths = ops::recurrent::as_lengths(options.lengths, at);
  const Node n =
      apply(ops::Gru{options.reset_after, options.reverse}, {x, recurrent, h, options.recurrent_bias, lengths}, at)
          .node();
  return {n.output(0), n.output(1)};
}

}  // namespace oxbow
