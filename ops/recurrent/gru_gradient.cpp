#include <oxbow/ops/recurrent/gru.h>
#include <oxbow/ops/recurrent/plan.h>
#include <oxbow/ops/recurrent/second_order.h>
#include <oxbow/ops/recurrent/walk.h>
#include <oxbow/ops/shape.h>

namespace oxbow::ops {

using namespace recurrent;

namespace {

// A row's slopes at a step: what is read, and where to write. What flows to the state, dh, becomes what flows to that
// before the step, but for what comes by the gates.
template <class T>
struct Row {
  const T *gates, *h_before, *inner, *dgates, *dinner;
  T *dh, *dproduct, *dx;

  T to_gate(std::int64_t place) const { return dgates ? dgates[place] : T(0); }
  T to_inner(std::int64_t j) const { return dinner ? dinner[j] : T(0); }
};

template <class T>
void back_reset_after(std::int64_t u, const Row<T>& of) {
  independent(0, u, [u, of](std::int64_t j) {
    const T z = of.gates[j], r = of.gates[u + j], n = of.gates[2 * u + j], dh = of.dh[j];
    const T to_z = (dh * (of.h_before[j] - n) + of.to_gate(j)) * (z * (T(1) - z));
    const T to_n = (dh * (T(1) - z) + of.to_gate(2 * u + j)) * (T(1) - n * n);
    const T to_r = (to_n * of.inner[j] + of.to_gate(u + j)) * (r * (T(1) - r));
    of.dproduct[j] = to_z;
    of.dproduct[u + j] = to_r;
    of.dproduct[2 * u + j] = to_n * r + of.to_inner(j);
    if (of.dx) {
      of.dx[j] = to_z;
      of.dx[u + j] = to_r;
      of.dx[2 * u + j] = to_n;
    }
    of.dh[j] = dh * z;
  });
}

// Before what flows to r h is there: all but the reset gate.
template <class T>
void back_reset_before(std::int64_t u, const Row<T>& of) {
  independent(0, u, [u, of](std::int64_t j) {
    const T z = of.gates[j], n = of.gates[2 * u + j], dh = of.dh[j];
    of.dx[j] = (dh * (of.h_before[j] - n) + of.to_gate(j)) * (z * (T(1) - z));
    of.dx[2 * u + j] = (dh * (T(1) - z) + of.to_gate(2 * u + j)) * (T(1) - n * n);
    of.dh[j] = dh * z;
  });
}

// From what flows to r h by the weights.
template <class T>
void back_reset(std::int64_t u, const Row<T>& of, const T* dinner) {
  independent(0, u, [u, of, dinner](std::int64_t j) {
    const T r = of.gates[u + j], to_inner = dinner[j] + of.to_inner(j);
    of.dx[u + j] = (to_inner * of.h_before[j] + of.to_gate(u + j)) * (r * (T(1) - r));
    of.dh[j] += to_inner * r;
  });
}

template <class T>
void backward(const GruGradient& op, const Plan& p, const Run& r) {
  Part part(p.sizes, r);
  const std::int64_t rows = part.rows, u = part.units, wide = 3 * u;
  const T *const gates = part.in<T>(0, wide), *const inner = part.in<T>(1, u), *const states = part.in<T>(2, u),
                 *const h = part.in<T>(3, u), *const transposed = r.in<T>(4), *const dstates = part.in<T>(5, u),
                 *const dgates = part.in<T>(7, wide), *const dinner = part.in<T>(8, u);
  const std::int64_t* const lengths = part.in<std::int64_t>(9, 1);
  T *const dx = part.out<T>(0, wide), *const dproduct = op.reset_after ? part.out<T>(1, wide) : nullptr;
  T *const dh = part.take<T>(rows * u), *const own = part.take<T>(rows * wide),
           *const to_inner = part.take<T>(rows * u);
  start(rows * u, part.in<T>(6, u), dh);
  const auto of = [&](T* all, Step s) { return all ? all + s.at * wide : nullptr; };
  // What flows to the products of a step: where it is wanted, else on its way only.
  const auto products = [&](Step s) {
    T* const wanted = of(op.reset_after ? dproduct : dx, s);
    return wanted ? wanted : own;
  };
  const auto row_of = [&](Step s, std::int64_t i) {
    const std::int64_t at = s.at + i;
    const auto there = [](const T* all, std::int64_t place) { return all ? all + place : nullptr; };
    T* const to = products(s) + i * wide;
    return Row<T>{.gates = gates + at * wide,
                  .h_before = (s.before < 0 ? h : states + s.before * u) + i * u,
                  .inner = inner + at * u,
                  .dgates = there(dgates, at * wide),
                  .dinner = there(dinner, at * u),
                  .dh = dh + i * u,
                  .dproduct = to,
                  .dx = !op.reset_after ? to
                        : dx            ? dx + at * wide
                                        : nullptr};
  };
  walk_back(
      part, lengths, op.reverse,
      [&](Step s) {
        if (dstates) add(rows * u, dstates + s.at * u, dh);
      },
      [&](Step s, std::int64_t i) {
        if (op.reset_after)
          back_reset_after(u, row_of(s, i));
        else
          back_reset_before(u, row_of(s, i));
      },
      [&](Step s, std::int64_t i) {
        std::fill_n(products(s) + i * wide, wide, T(0));
        if (op.reset_after && dx) std::fill_n(dx + (s.at + i) * wide, wide, T(0));
      },
      [&](Step s) {
        T* const to = products(s);
        if (!op.reset_after) {
          p.inner.multiply(r.part, to + 2 * u, transposed + 2 * u * u, to_inner);
          for (std::int64_t i = 0; i < rows; ++i)
            if (!lengths || s.place < lengths[i]) back_reset(u, row_of(s, i), to_inner + i * u);
        }
        if (T* const same = op.reset_after ? nullptr : of(part.out<T>(1, wide), s); same && same != to)
          std::copy_n(to, rows * wide, same);
        if (s.before >= 0 || r.wants(2)) p.product.multiply(r.part, to, transposed, dh);
      });
  if (r.wants(2)) std::copy_n(dh, rows * u, part.out<T>(2, u));
}

}  // namespace

std::vector<Type> GruGradient::infer(Types in) const {
  const Type& gates = in[0];
  check_dtype(dtypes::Floats{}, gates, "gates");
  if (gates.shape.rank() != 3 || gates.shape[0] < 1 || gates.shape[2] % 3 != 0)
    throw OpError("gates are " + to_string(gates), "Give [time, batch, 3 units], as a gru does");
  const std::int64_t units = gates.shape[2] / 3;
  const Type states{gates.dtype, gates.shape.with(2, units)}, h{gates.dtype, states.shape.without(0)};
  check_is("inner", in[1], states);
  check_is("states", in[2], states);
  check_is("h", in[3], h);
  check_is("transposed", in[4], {gates.dtype, {3 * units, units}});
  const auto given = [&](std::size_t i) { return i < in.size() ? in[i] : Type::absent(); };
  check_may_be("dstates", given(5), states);
  check_may_be("dlast_h", given(6), h);
  check_may_be("dgates", given(7), gates);
  check_may_be("dinner", given(8), states);
  check_may_be("lengths", given(9), {i64, {gates.shape[1]}});
  return {gates, gates, h};
}

Prepared<Plan> GruGradient::prepare(Types in) const {
  const DType dtype = in[0].dtype;
  const std::int64_t wide = in[4].shape[0], units = in[4].shape[1];
  auto plan = std::make_shared<Plan>();
  plan->sizes = Sizes(in[2].shape, wide);
  const Sizes& s = plan->sizes;
  plan->product = StepProduct(dtype, s, {units, reset_after ? wide : 2 * units, wide, units, units}, true);
  if (!reset_after) plan->inner = StepProduct(dtype, s, {units, units, wide, units, units}, false);
  return {work_of(dtype, s, units, scratch_of(dtype, {s.rows * units, s.rows * wide, s.rows * units}),
                  {.products = 6 * units, .others = 40, .numbers = 12}),
          plan};
}

void GruGradient::run(const Run& r, const Plan& p) const {
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) { backward<T>(*this, p, r); });
}

Grads GruGradient::gradient(const Node& n, Values dy) const {
  return by_plain_ops(n, dy, [&](Values in) {
    const Value gates = in[0], transposed = in[4], mask = within(gates, in[9]);
    const std::int64_t u = in[3].shape()[1];
    std::vector<Value> slices{gates, in[1], before_each(in[2], in[3], reverse)};
    for (const Value& v : {mask, in[5], in[7], in[8]})
      if (v) slices.push_back(v);
    const auto step = [&](const RepeatStep& s) {
      std::size_t next = 3;
      const auto given = [&](Value v) { return v ? s.slices[next++] : Value(); };
      const Value kept = given(mask), dstate = given(in[5]), dgate = given(in[7]), dinner = given(in[8]);
      const auto gate = [&](Value all, std::int64_t k) { return slice(all, 1, k * u, (k + 1) * u); };
      const auto with = [&](Value to, std::int64_t k) { return dgate ? to + gate(dgate, k) : to; };
      const Value z = gate(s.slices[0], 0), r = gate(s.slices[0], 1), g = gate(s.slices[0], 2), inner = s.slices[1],
                  before = s.slices[2];
      const Value dh = dstate ? s.carried[0] + dstate : s.carried[0];
      const Value to_z = with(dh * (before - g), 0) * (z * (1 - z)), to_n = with(dh * (1 - z), 2) * (1 - square(g));
      const Value slope = r * (1 - r);
      Value to_h = dh * z, dx, dproduct;
      if (reset_after) {
        const Value to_r = with(to_n * inner, 1) * slope;
        Value to_inner = to_n * r;
        if (dinner) to_inner = to_inner + dinner;
        dx = concat({to_z, to_r, to_n}, 1);
        dproduct = concat({to_z, to_r, to_inner}, 1);
        to_h = to_h + matmul(dproduct, transposed);
      } else {
        Value to_inner = matmul(to_n, slice(transposed, 0, 2 * u));
        if (dinner) to_inner = to_inner + dinner;
        const Value to_r = with(to_inner * before, 1) * slope;
        dproduct = dx = concat({to_z, to_r, to_n}, 1);
        to_h = to_h + to_inner * r + matmul(concat({to_z, to_r}, 1), slice(transposed, 0, 0, 2 * u));
      }
      if (kept) {
        dx = where(kept, dx, 0);
        dproduct = where(kept, dproduct, 0);
        to_h = where(kept, to_h, dh);
      }
      return RepeatNext{.carried = {to_h}, .stacked = {dx, dproduct}};
    };
    const RepeatResult done =
        repeat(gates.shape()[0], {in[6] ? in[6] : zeros_like(in[3])}, step, {.slices = slices, .reverse = !reverse});
    return std::vector<Value>{done.stacked[0], done.stacked[1], done.carried[0]};
  });
}

}  // namespace oxbow::ops
