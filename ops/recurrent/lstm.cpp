#include <oxbow/ops/linalg.h>
#include <oxbow/ops/linalg/matmul.h>
#include <oxbow/ops/math.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/recurrent.h>
#include <oxbow/ops/recurrent/lstm.h>
#include <oxbow/ops/recurrent/plan.h>
#include <oxbow/ops/recurrent/walk.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/taken_rows.h>

namespace oxbow::ops {

using namespace recurrent;

namespace {

bool given(Types in, std::size_t i) { return i < in.size() && in[i].present; }

// The shape of gates and of what comes in at each step: [time, batch, 4 units].
Shape wide_shape(Types in) { return given(in, 5) ? in[5].shape.inserted(2, in[0].shape[1]) : in[0].shape; }

// A row's gates and its state after a step: x is what came in from outside, z what came from the state. Gates are
// written where there is room for them, over x or elsewhere.
template <class T>
void step(std::int64_t units, const T* x, const T* z, const T* c_before, T* c, T* h, T* gates) {
  const std::int64_t u = units;
  const auto cell = [=](std::int64_t j, auto keep) {
    const T i = math::sigmoid(x[j] + z[j]), f = math::sigmoid(x[u + j] + z[u + j]),
            n = math::tanh(x[2 * u + j] + z[2 * u + j]), o = math::sigmoid(x[3 * u + j] + z[3 * u + j]);
    const T now = f * c_before[j] + i * n;
    c[j] = now;
    h[j] = o * math::tanh(now);
    keep(i, f, n, o);
  };
  if (!gates) return independent(0, u, [=](std::int64_t j) { cell(j, [](T, T, T, T) {}); });
  independent(0, u, [=](std::int64_t j) {
    cell(j, [=](T i, T f, T n, T o) {
      gates[j] = i;
      gates[u + j] = f;
      gates[2 * u + j] = n;
      gates[3 * u + j] = o;
    });
  });
}

template <class T>
void forward(const Plan& p, const Run& r, bool reverse) {
  Part part(p.sizes, r);
  const std::int64_t rows = part.rows, u = part.units, wide = 4 * u;
  const std::int64_t* const numbers = r.has(5) ? r.in<std::int64_t>(5) : nullptr;
  const T *const x = r.in<T>(0), *const recurrent = r.in<T>(1);
  const auto row_of = [&](std::int64_t at) {  // of x, for element `at` of [time, batch]
    return x + wide * (numbers ? place_of(numbers[at], r.in_type(0).shape[0], r.in_type(5), at) : at);
  };
  T* const gates = part.out<T>(4, wide);
  T* const z = part.take<T>(rows * wide);
  State<T> states[]{{part.in<T>(2, u), part.out<T>(0, u), part.take<T>(rows * u)},
                    {part.in<T>(3, u), part.out<T>(3, u), part.take<T>(rows * u)}};
  const State<T>&h = states[0], &c = states[1];
  walk<T>(
      part, part.in<std::int64_t>(4, 1), reverse, states,
      [&](Step) { p.product.multiply(r.part, h.before, recurrent, z); },
      [&](Step s, std::int64_t i) {
        step(u, row_of(s.at + part.first + i), z + i * wide, c.before + i * u, c.now + i * u, h.now + i * u,
             gates ? gates + (s.at + i) * wide : nullptr);
      },
      [&](Step s, std::int64_t i) {
        if (gates) std::fill_n(gates + (s.at + i) * wide, wide, T(0));
      });
  if (T* const last = part.out<T>(1, u)) std::copy_n(h.before, rows * u, last);
  if (T* const last = part.out<T>(2, u)) std::copy_n(c.before, rows * u, last);
}

}  // namespace

std::vector<Type> Lstm::infer(Types in) const {
  const Type &x = in[0], &h = in[2];
  check_dtype(dtypes::Floats{}, x, "x");
  if (given(in, 5) && (in[5].dtype != i64 || in[5].shape.rank() != 2 || x.shape.rank() != 2))
    throw OpError("x is " + to_string(x) + " and rows are " + to_string(in[5]),
                  "Give a table [n, 4 units] and i64 [time, batch]");
  const Type wide{x.dtype, wide_shape(in)};
  if (wide.shape.rank() != 3 || wide.shape[0] < 1 || wide.shape[2] % 4 != 0)
    throw OpError("x is " + to_string(x),
                  "Give at least one step, [time, batch, 4 units]: what comes to each gate from outside");
  const std::int64_t units = wide.shape[2] / 4;
  check_is("recurrent", in[1], {x.dtype, {units, 4 * units}});
  check_is("h", h, {x.dtype, {wide.shape[1], units}});
  check_is("c", in[3], h);
  if (given(in, 4)) check_is("lengths", in[4], {i64, {wide.shape[1]}});
  const Type each{x.dtype, wide.shape.with(2, units)};
  return {each, h, h, each, wide};
}

std::vector<InputSet> Lstm::overwrites(Types in) const {
  return {{}, {}, {}, {}, given(in, 5) ? InputSet{} : InputSet{0}};
}

// Where x is rows of a table times W, plus b, of which there are fewer than steps: each is computed once, and read from
// cache. A row of a product has the same bits whatever other rows there are.
std::vector<Value> Lstm::simplify(Values in) const {
  if (std::any_of(in.begin() + 4, in.end(), [](const Value& v) { return static_cast<bool>(v); })) return {};
  const Node last = in[0].node();
  const bool biased = last.op().is<Add>() && last.input(1).rank() == 1 && last.input(0).rank() == 3;
  const Node product = biased ? last.input(0).node() : last;
  if (product.op() != Op(MatMul{}) || product.input(1).rank() != 2) return {};
  const TakenRows rows = TakenRows::of(product.input(0));
  if (!rows) return {};
  const Value each = matmul(rows.table, product.input(1));
  const Node all =
      apply(*this, {biased ? each + last.input(1) : each, in[1], in[2], in[3], Value(), cast(rows.indices, i64)}, {})
          .node();
  return {all.output(0), all.output(1), all.output(2), all.output(3), all.output(4)};
}

Prepared<Plan> Lstm::prepare(Types in) const {
  const DType dtype = in[0].dtype;
  const std::int64_t units = in[1].shape[0], wide = 4 * units;
  auto plan = std::make_shared<Plan>();
  plan->sizes = Sizes(wide_shape(in).with(2, units), wide);
  plan->product = StepProduct(dtype, plan->sizes, wide, units, false);
  const Sizes& s = plan->sizes;
  return {work_of(dtype, s, units, scratch_of(dtype, {s.rows * wide, s.rows * units, s.rows * units}),
                  {.products = 8 * units, .others = 60, .numbers = 10}),
          plan};
}

void Lstm::run(const Run& r, const Plan& p) const {
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) { forward<T>(p, r, reverse); });
}

// What flows to x is all that flows to x + h U, so U's gradient is the product of the states before each step with it.
Grads Lstm::gradient(const Node& n, Values dy) const {
  const Value recurrent = n.input(1), h = n.input(2), c = n.input(3), states = n.output(0);
  const Node back =
      apply(LstmGradient{reverse},
            {n.output(4), n.output(3), c, transpose(recurrent, {1, 0}), dy[0], dy[1], dy[2], dy[3], dy[4], n.input(4)},
            At::current())
          .node();
  const Value dx = back.output(0), rows = n.input(5);
  return {rows ? scatter_add(n.input(0), rows, dx) : dx,
          to_recurrent(states, h, dx, reverse),
          back.output(1),
          back.output(2),
          Value(),
          Value()};
}

}  // namespace oxbow::ops

namespace oxbow {

LstmResult lstm(Value x, Value recurrent, Value h, Value c, const RecurrenceOptions& options, At at) {
  const Value lengths = ops::recurrent::as_lengths(options.lengths, at);
  const Node n = apply(ops::Lstm{options.reverse}, {x, recurrent, h, c, lengths}, at).node();
  return {n.output(0), n.output(1), n.output(2)};
}

}  // namespace oxbow
