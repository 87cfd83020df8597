// Labels: unsanitized.
#include <oxbow/optim/optimizers/adafactor.h>
#include <oxbow/optim/optimizers/lamb.h>
#include <oxbow/optim/optimizers/lars.h>
#include <oxbow/optim/optimizers/muon.h>

#include "recurrences.h"

namespace oxbow::test {
namespace {

using namespace oxbow::optim;
using Reals = std::vector<Real>;

Reals values(const std::vector<Term>& terms) {
  Reals v;
  for (const Term& t : terms) v.push_back(t.v);
  return v;
}
void keep(std::vector<Term>& to, const Reals& from) { to.assign(from.begin(), from.end()); }

Real length(const Reals& x) {
  Real sum = 0;
  for (const Real& v : x) sum += v * v;
  return sqrt(sum);
}
Real rms(const Reals& x) { return length(x) / sqrt(Real(x.size())); }

void lamb(Exact& e, double epsilon, double decay) {
  Reals w = values(e.w), m = values(e.slots["m"]), v = values(e.slots["v"]), d(w.size());
  for (std::size_t i = 0; i < w.size(); ++i) {
    const Real& g = e.g[i].v;
    m[i] = Real(0.9) * m[i] + (1 - Real(0.9)) * g;
    v[i] = Real(0.999) * v[i] + (1 - Real(0.999)) * g * g;
    d[i] = m[i] / (1 - pow(Real(0.9), e.t)) / (sqrt(v[i] / (1 - pow(Real(0.999), e.t))) + epsilon) + decay * w[i];
  }
  const Real ratio = length(w) / length(d);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] -= Real(1e-3) * ratio * d[i];
  keep(e.w, w), keep(e.slots["m"], m), keep(e.slots["v"], v);
}

void lars(Exact& e, double decay) {
  Reals w = values(e.w), v = values(e.slots["velocity"]);
  const Real ratio = Real(1e-3) * length(w) / (length(values(e.g)) + decay * length(w));
  for (std::size_t i = 0; i < w.size(); ++i) {
    v[i] = Real(0.9) * v[i] + Real(0.1) * ratio * (e.g[i].v + decay * w[i]);
    w[i] -= v[i];
  }
  keep(e.w, w), keep(e.slots["velocity"], v);
}

void adafactor(Exact& e, double rate, double epsilon, double decay, bool keras) {
  Reals w = values(e.w), before = w, u(w.size());
  const Real b = pow(Real(e.t), Real(-0.8));
  for (Real& x : w) x -= Real(rate) * decay * x;
  const auto square = [&](std::size_t i) { return Real(e.g[i].v * e.g[i].v + (keras ? epsilon : 0)); };
  if (e.columns == 0) {
    Reals v = values(e.slots["v"]);
    for (std::size_t i = 0; i < w.size(); ++i) {
      v[i] = (1 - b) * v[i] + b * square(i);
      u[i] = e.g[i].v / sqrt(keras ? v[i] : larger(v[i], Real(epsilon) * epsilon));
    }
    keep(e.slots["v"], v);
  } else {
    Reals r = values(e.slots["rows"]), c = values(e.slots["columns"]);
    for (Real& x : r) x *= 1 - b;
    for (Real& x : c) x *= 1 - b;
    for (std::size_t i = 0; i < w.size(); ++i) {
      r[i / e.columns] += b * square(i) / e.columns;
      c[i % e.columns] += b * square(i) / e.rows;
    }
    Real mean = 0;
    for (const Real& x : r) mean += x / e.rows;
    if (!keras) mean = larger(mean, epsilon);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const Real v = r[i / e.columns] * c[i % e.columns] / mean;
      u[i] = e.g[i].v / sqrt(keras ? v : larger(v, Real(epsilon) * epsilon));
    }
    keep(e.slots["rows"], r), keep(e.slots["columns"], c);
  }
  const Real slowest = 1 / sqrt(Real(e.t)), p = slowest < rate ? slowest : Real(rate);
  const Real a = larger(Real(1e-3), rms(keras ? w : before)) * p;
  const Real clip = larger(Real(1), rms(u));
  for (std::size_t i = 0; i < w.size(); ++i) w[i] -= a * u[i] / clip;
  keep(e.w, w);
}

void muon(Exact& e, double decay, bool nesterov, bool keras) {
  Reals w = values(e.w), v = values(e.slots["velocity"]), x(w.size());
  const Real share = keras ? Real(1) : Real(1 - Real(0.95));
  for (std::size_t i = 0; i < w.size(); ++i) {
    v[i] = Real(0.95) * v[i] + share * e.g[i].v;
    x[i] = nesterov ? Real(share * e.g[i].v + Real(0.95) * v[i]) : v[i];
  }
  const Real size = keras ? Real(length(x) + 1e-7) : larger(length(x), 1e-7);
  for (Real& value : x) value /= size;
  const std::size_t n = e.rows, k = e.columns;
  const auto gram = [](const Reals& a, std::size_t rows, std::size_t columns) {  // a a'
    Reals out(rows * rows);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < rows; ++j)
        for (std::size_t c = 0; c < columns; ++c) out[i * rows + j] += a[i * columns + c] * a[j * columns + c];
    return out;
  };
  for (int step = 0; step < 5; ++step) {
    const Reals a = gram(x, n, k), aa = gram(a, n, n);  // a is symmetric
    Reals next(x.size());
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t c = 0; c < k; ++c) {
        next[i * k + c] = Real(3.4445) * x[i * k + c];
        for (std::size_t j = 0; j < n; ++j)
          next[i * k + c] += (Real(-4.7750) * a[i * n + j] + Real(2.0315) * aa[i * n + j]) * x[j * k + c];
      }
    x = next;
  }
  const Real stretch = keras ? Real(Real(0.2) * sqrt(Real(std::max(n, k)))) : sqrt(larger(Real(1), Real(n) / Real(k)));
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = w[i] - Real(1e-3) * decay * w[i] - Real(1e-3) * stretch * x[i];
  keep(e.w, w), keep(e.slots["velocity"], v);
}

}  // namespace

std::vector<Recurrence> tensor_recurrences() {
  return {
      {LAMB{}, [](Exact& e) { lamb(e, 1e-7, 0); }, 0},
      {LAMB{.epsilon = 1e-6, .weight_decay = 0.1}, [](Exact& e) { lamb(e, 1e-6, 0.1); }, 0},
      {LARS{}, [](Exact& e) { lars(e, 0); }, 0},
      {LARS{.weight_decay = 0.1}, [](Exact& e) { lars(e, 0.1); }, 0},
      {Adafactor{.weight_decay = 0.1}, [](Exact& e) { adafactor(e, 1e-3, 1e-30, 0.1, true); }, 0},
      {Adafactor{}, [](Exact& e) { adafactor(e, 1e-3, 1e-30, 0, true); }, 0, true},
      {Adafactor{.weight_decay = 0.1, .convention = pytorch}, [](Exact& e) { adafactor(e, 0.01, 0x1p-52, 0.1, false); },
       0},
      {Adafactor{.convention = pytorch}, [](Exact& e) { adafactor(e, 0.01, 0x1p-52, 0, false); }, 0, true},
      {Muon{}, [](Exact& e) { muon(e, 0.004, true, true); }, 0},
      {Muon{.nesterov = false, .weight_decay = 0}, [](Exact& e) { muon(e, 0, false, true); }, 0},
      {Muon{.convention = pytorch}, [](Exact& e) { muon(e, 0.1, true, false); }, 0},
  };
}

}  // namespace oxbow::test
