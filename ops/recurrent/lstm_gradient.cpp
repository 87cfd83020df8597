#include <oxbow/ops/math.h>
#include <oxbow/ops/recurrent/lstm.h>
#include <oxbow/ops/recurrent/plan.h>
#include <oxbow/ops/recurrent/second_order.h>
#include <oxbow/ops/recurrent/walk.h>
#include <oxbow/ops/shape.h>

namespace oxbow::ops {

using namespace recurrent;

namespace {

// A row's slopes at a step. What flows to its states, dh and dc, becomes what flows to those before the step, but for
// what comes by the gates: dh starts at 0.
template <class T>
void step_back(std::int64_t units, const T* gates, const T* c_before, const T* c, T* dh, T* dc, T* dx) {
  const std::int64_t u = units;
  independent(0, u, [=](std::int64_t j) {
    const T i = gates[j], f = gates[u + j], n = gates[2 * u + j], o = gates[3 * u + j];
    const T open = math::tanh(c[j]), to_h = dh[j];
    const T to_c = dc[j] + to_h * o * (T(1) - open * open);
    dx[j] = to_c * n * (i * (T(1) - i));
    dx[u + j] = to_c * c_before[j] * (f * (T(1) - f));
    dx[2 * u + j] = to_c * i * (T(1) - n * n);
    dx[3 * u + j] = to_h * open * (o * (T(1) - o));
    dc[j] = to_c * f;
    dh[j] = T(0);
  });
}

// What flows to the gates themselves, through their slopes. dx may lie over the gates, which are read before.
template <class T>
void times_slopes(std::int64_t units, const T* gates, const T* dgates, T* y) {
  const std::int64_t u = units;
  independent(0, 4 * u, [=](std::int64_t j) {
    const T g = gates[j];
    y[j] = dgates[j] * (j / u == 2 ? T(1) - g * g : g * (T(1) - g));
  });
}

template <class T>
void backward(const Plan& p, const Run& r, bool reverse) {
  Part part(p.sizes, r);
  const std::int64_t rows = part.rows, u = part.units, wide = 4 * u;
  const T *const gates = part.in<T>(0, wide), *const cells = part.in<T>(1, u), *const c = part.in<T>(2, u),
                 *const transposed = r.in<T>(3), *const dstates = part.in<T>(4, u), *const dcells = part.in<T>(7, u),
                 *const dgates = part.in<T>(8, wide);
  T* const dx = part.out<T>(0, wide);
  T *const dh = part.take<T>(rows * u), *const dc = part.take<T>(rows * u), *const own = part.take<T>(wide),
           *const own_dx = part.take<T>(rows * wide);
  start(rows * u, part.in<T>(5, u), dh);
  start(rows * u, part.in<T>(6, u), dc);
  T* dx_now = own_dx;
  walk_back(
      part, part.in<std::int64_t>(9, 1), reverse,
      [&](Step s) {
        if (dstates) add(rows * u, dstates + s.at * u, dh);
        if (dcells) add(rows * u, dcells + s.at * u, dc);
        if (dx) dx_now = dx + s.at * wide;
      },
      [&](Step s, std::int64_t i) {
        const std::int64_t at = (s.at + i) * wide;
        const T* const before = s.before < 0 ? c : cells + s.before * u;
        T* const to = dx_now + i * wide;
        if (dgates) times_slopes(u, gates + at, dgates + at, own);
        step_back(u, gates + at, before + i * u, cells + (s.at + i) * u, dh + i * u, dc + i * u, to);
        if (dgates) add(wide, own, to);
      },
      [&](Step, std::int64_t i) { std::fill_n(dx_now + i * wide, wide, T(0)); },
      [&](Step s) {
        if (s.before >= 0 || r.wants(1)) p.product.multiply(r.part, dx_now, transposed, dh);
      });
  if (r.wants(1)) std::copy_n(dh, rows * u, part.out<T>(1, u));
  if (r.wants(2)) std::copy_n(dc, rows * u, part.out<T>(2, u));
}

}  // namespace

std::vector<Type> LstmGradient::infer(Types in) const {
  const Type &gates = in[0], &c = in[2];
  check_dtype(dtypes::Floats{}, gates, "gates");
  if (gates.shape.rank() != 3 || gates.shape[0] < 1 || gates.shape[2] % 4 != 0)
    throw OpError("gates are " + to_string(gates), "Give [time, batch, 4 units], as an lstm does");
  const Type states{gates.dtype, gates.shape.with(2, gates.shape[2] / 4)};
  check_is("cells", in[1], states);
  check_is("c", c, {gates.dtype, states.shape.without(0)});
  check_is("transposed", in[3], {gates.dtype, {gates.shape[2], gates.shape[2] / 4}});
  const auto given = [&](std::size_t i) { return i < in.size() ? in[i] : Type::absent(); };
  check_may_be("dstates", given(4), states);
  check_may_be("dlast_h", given(5), c);
  check_may_be("dlast_c", given(6), c);
  check_may_be("dcells", given(7), states);
  check_may_be("dgates", given(8), gates);
  check_may_be("lengths", given(9), {i64, {gates.shape[1]}});
  return {gates, c, c};
}

Prepared<Plan> LstmGradient::prepare(Types in) const {
  const DType dtype = in[0].dtype;
  const std::int64_t wide = in[3].shape[0], units = in[3].shape[1];
  auto plan = std::make_shared<Plan>();
  plan->sizes = Sizes(in[1].shape, wide);
  plan->product = StepProduct(dtype, plan->sizes, units, wide, true);
  const Sizes& s = plan->sizes;
  return {work_of(dtype, s, units, scratch_of(dtype, {s.rows * units, s.rows * units, wide, s.rows * wide}),
                  {.products = 8 * units, .others = 50, .numbers = 11}),
          plan};
}

void LstmGradient::run(const Run& r, const Plan& p) const {
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) { backward<T>(p, r, reverse); });
}

Grads LstmGradient::gradient(const Node& n, Values dy) const {
  return by_plain_ops(n, dy, [&](Values in) {
    const Value gates = in[0], transposed = in[3], mask = within(gates, in[9]);
    std::vector<Value> slices{gates, in[1], before_each(in[1], in[2], reverse)};
    for (const Value& v : {mask, in[4], in[7], in[8]})
      if (v) slices.push_back(v);
    const auto last = [&](Value d) { return d ? d : zeros_like(in[2]); };
    const RepeatResult done = repeat(gates.shape()[0], {last(in[5]), last(in[6])},
                                     [&](const RepeatStep& s) {
                                       std::size_t next = 3;
                                       const auto given = [&](Value v) { return v ? s.slices[next++] : Value(); };
                                       const Value kept = given(mask), dstate = given(in[4]), dcell = given(in[7]),
                                                   dgate = given(in[8]);
                                       const Value c = s.slices[1], c_before = s.slices[2];
                                       const auto gate = [&](Value all, std::int64_t k) {
                                         const std::int64_t u = c.shape()[1];
                                         return slice(all, 1, k * u, (k + 1) * u);
                                       };
                                       const Value i = gate(s.slices[0], 0), f = gate(s.slices[0], 1),
                                                   g = gate(s.slices[0], 2), o = gate(s.slices[0], 3);
                                       const Value dh = dstate ? s.carried[0] + dstate : s.carried[0],
                                                   dc = dcell ? s.carried[1] + dcell : s.carried[1];
                                       const Value open = tanh(c), to_c = dc + dh * o * (1 - square(open));
                                       std::vector<Value> to{to_c * g, to_c * c_before, to_c * i, dh * open};
                                       const Value slopes[]{i * (1 - i), f * (1 - f), 1 - square(g), o * (1 - o)};
                                       for (std::size_t k = 0; k < 4; ++k) {
                                         if (dgate) to[k] = to[k] + gate(dgate, static_cast<std::int64_t>(k));
                                         to[k] = to[k] * slopes[k];
                                       }
                                       Value dx = concat(to, 1);
                                       if (kept) dx = where(kept, dx, 0);
                                       Value to_h = matmul(dx, transposed), to_before = to_c * f;
                                       if (kept) {
                                         to_h = where(kept, to_h, dh);
                                         to_before = where(kept, to_before, dc);
                                       }
                                       return RepeatNext{.carried = {to_h, to_before}, .stacked = {dx}};
                                     },
                                     {.slices = slices, .reverse = !reverse});
    return std::vector<Value>{done.stacked[0], done.carried[0], done.carried[1]};
  });
}

}  // namespace oxbow::ops
