#include <oxbow/ops/linalg.h>
#include <oxbow/ops/math.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/recurrent.h>
#include <oxbow/ops/recurrent/plan.h>
#include <oxbow/ops/recurrent/second_order.h>
#include <oxbow/ops/recurrent/simple_rnn.h>
#include <oxbow/ops/recurrent/walk.h>
#include <oxbow/ops/shape.h>

namespace oxbow::ops {

using namespace recurrent;

namespace {

template <class T>
void forward(const SimpleRnn& op, const Plan& p, const Run& r) {
  Part part(p.sizes, r);
  const std::int64_t rows = part.rows, u = part.units;
  const T *const x = part.in<T>(0, u), *const recurrent = r.in<T>(1);
  T* const past = part.take<T>(rows * u);
  State<T> states[]{{part.in<T>(2, u), part.out<T>(0, u), part.take<T>(rows * u)}};
  const State<T>& h = states[0];
  walk<T>(
      part, part.in<std::int64_t>(3, 1), op.reverse, states,
      [&](Step) { p.product.multiply(r.part, h.before, recurrent, past); },
      [&](Step s, std::int64_t i) {
        const T *const row = x + (s.at + i) * u, *const own = past + i * u;
        T* const now = h.now + i * u;
        if (op.relu)
          independent(0, u, [=](std::int64_t j) {
            const T sum = row[j] + own[j];
            now[j] = sum <= T(0) ? T(0) : sum;
          });
        else
          independent(0, u, [=](std::int64_t j) { now[j] = math::tanh(row[j] + own[j]); });
      },
      [](Step, std::int64_t) {});
  if (T* const last = part.out<T>(1, u)) std::copy_n(h.before, rows * u, last);
}

template <class T>
void backward(const SimpleRnnGradient& op, const Plan& p, const Run& r) {
  Part part(p.sizes, r);
  const std::int64_t rows = part.rows, u = part.units;
  const T *const states = part.in<T>(0, u), *const transposed = r.in<T>(1), *const dstates = part.in<T>(2, u);
  T* const dx = part.out<T>(0, u);
  T *const dh = part.take<T>(rows * u), *const own = part.take<T>(rows * u);
  start(rows * u, part.in<T>(3, u), dh);
  T* dx_now = own;
  walk_back(
      part, part.in<std::int64_t>(4, 1), op.reverse,
      [&](Step s) {
        if (dstates) add(rows * u, dstates + s.at * u, dh);
        if (dx) dx_now = dx + s.at * u;
      },
      [&](Step s, std::int64_t i) {
        const T* const h = states + (s.at + i) * u;
        T *const flow = dh + i * u, *const to = dx_now + i * u;
        const auto back = [=](auto through) {
          independent(0, u, [=](std::int64_t j) {
            to[j] = through(flow[j], h[j]);
            flow[j] = T(0);
          });
        };
        if (op.relu)
          back([](T dy, T y) { return y <= T(0) ? T(0) : dy; });
        else
          back([](T dy, T y) { return dy * (T(1) - y * y); });
      },
      [&](Step, std::int64_t i) { std::fill_n(dx_now + i * u, u, T(0)); },
      [&](Step s) {
        if (s.before >= 0 || r.wants(1)) p.product.multiply(r.part, dx_now, transposed, dh);
      });
  if (r.wants(1)) std::copy_n(dh, rows * u, part.out<T>(1, u));
}

// Of either direction: both go through the same products.
Prepared<Plan> prepared(const Type& states, bool accumulate) {
  const DType dtype = states.dtype;
  const std::int64_t units = states.shape[2];
  auto plan = std::make_shared<Plan>();
  plan->sizes = Sizes(states.shape, units);
  const Sizes& s = plan->sizes;
  plan->product = StepProduct(dtype, s, units, units, accumulate);
  return {work_of(dtype, s, units, scratch_of(dtype, {s.rows * units, s.rows * units}),
                  {.products = 2 * units, .others = 20, .numbers = 3}),
          plan};
}

}  // namespace

std::vector<Type> SimpleRnn::infer(Types in) const {
  const Type& x = in[0];
  check_dtype(dtypes::Floats{}, x, "x");
  if (x.shape.rank() != 3 || x.shape[0] < 1)
    throw OpError("x is " + to_string(x), "Give at least one step, [time, batch, units]: what comes in from outside");
  const Type h{x.dtype, x.shape.without(0)};
  check_is("recurrent", in[1], {x.dtype, {x.shape[2], x.shape[2]}});
  check_is("h", in[2], h);
  if (in.size() > 3) check_may_be("lengths", in[3], {i64, {x.shape[1]}});
  return {x, h};
}

Prepared<Plan> SimpleRnn::prepare(Types in) const { return prepared(in[0], false); }

void SimpleRnn::run(const Run& r, const Plan& p) const {
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) { forward<T>(*this, p, r); });
}

Grads SimpleRnn::gradient(const Node& n, Values dy) const {
  const Value recurrent = n.input(1), h = n.input(2), states = n.output(0);
  const Node back = apply(SimpleRnnGradient{relu, reverse},
                          {states, transpose(recurrent, {1, 0}), dy[0], dy[1], n.input(3)}, At::current())
                        .node();
  return {back.output(0), to_recurrent(states, h, back.output(0), reverse), back.output(1), Value()};
}

std::vector<Type> SimpleRnnGradient::infer(Types in) const {
  const Type& states = in[0];
  check_dtype(dtypes::Floats{}, states, "states");
  if (states.shape.rank() != 3 || states.shape[0] < 1)
    throw OpError("states are " + to_string(states), "Give [time, batch, units], as a simple_rnn does");
  const Type h{states.dtype, states.shape.without(0)};
  check_is("transposed", in[1], {states.dtype, {states.shape[2], states.shape[2]}});
  const auto given = [&](std::size_t i) { return i < in.size() ? in[i] : Type::absent(); };
  check_may_be("dstates", given(2), states);
  check_may_be("dlast_h", given(3), h);
  check_may_be("lengths", given(4), {i64, {states.shape[1]}});
  return {states, h};
}

Prepared<Plan> SimpleRnnGradient::prepare(Types in) const { return prepared(in[0], true); }

void SimpleRnnGradient::run(const Run& r, const Plan& p) const {
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) { backward<T>(*this, p, r); });
}

Grads SimpleRnnGradient::gradient(const Node& n, Values dy) const {
  return by_plain_ops(n, dy, [&](Values in) {
    const Value mask = within(in[0], in[4]);
    std::vector<Value> slices{in[0]};
    for (const Value& v : {mask, in[2]})
      if (v) slices.push_back(v);
    const auto step = [&](const RepeatStep& s) {
      std::size_t next = 1;
      const auto given = [&](Value v) { return v ? s.slices[next++] : Value(); };
      const Value kept = given(mask), dstate = given(in[2]), h = s.slices[0];
      const Value dh = dstate ? s.carried[0] + dstate : s.carried[0];
      Value dx = relu ? apply(ReluGradient{}, {h, dh}, At::current()) : dh * (1 - square(h));
      if (kept) dx = where(kept, dx, 0);
      Value to_h = matmul(dx, in[1]);
      if (kept) to_h = where(kept, to_h, dh);
      return RepeatNext{.carried = {to_h}, .stacked = {dx}};
    };
    const RepeatResult done =
        repeat(in[0].shape()[0], {in[3] ? in[3] : zeros_like(in[0][0])}, step, {.slices = slices, .reverse = !reverse});
    return std::vector<Value>{done.stacked[0], done.carried[0]};
  });
}

}  // namespace oxbow::ops

namespace oxbow {

StatesResult simple_rnn(Value x, Value recurrent, Value h, const SimpleRnnOptions& options, At at) {
  const Value lengths = ops::recurrent::as_lengths(options.lengths, at);
  const Node n = apply(ops::SimpleRnn{options.relu, options.reverse}, {x, recurrent, h, lengths}, at).node();
  return {n.output(0), n.output(1)};
}

}  // namespace oxbow
