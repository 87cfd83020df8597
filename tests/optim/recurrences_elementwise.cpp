// Labels: unsanitized.
#include <oxbow/optim/optimizers/adadelta.h>
#include <oxbow/optim/optimizers/adagrad.h>
#include <oxbow/optim/optimizers/adamax.h>
#include <oxbow/optim/optimizers/adamw.h>
#include <oxbow/optim/optimizers/asgd.h>
#include <oxbow/optim/optimizers/ftrl.h>
#include <oxbow/optim/optimizers/lion.h>
#include <oxbow/optim/optimizers/nadam.h>
#include <oxbow/optim/optimizers/radam.h>
#include <oxbow/optim/optimizers/rmsprop.h>
#include <oxbow/optim/optimizers/rprop.h>
#include <oxbow/optim/optimizers/schedule_free.h>
#include <oxbow/optim/optimizers/sgd.h>

#include "recurrences.h"

namespace oxbow::test {
namespace {

using namespace oxbow::optim;

// One number of a parameter.
struct Element {
  Term& w;
  Term g;
  int t;
  std::function<Term&(const char*)> slot;
};

template <class F>
std::function<void(Exact&)> each(F f) {
  return [f](Exact& e) {
    for (std::size_t i = 0; i < e.w.size(); ++i)
      f(Element{e.w[i], e.g[i], e.t, [&](const char* name) -> Term& { return e.slots.at(name)[i]; }});
  };
}

// 1 - beta^t
Real unbias(double beta, int t) { return 1 - pow(Real(beta), t); }
Term average(Term& a, double beta, const Term& x) { return a = Term(beta) * a + Term(1 - Real(beta)) * x; }

auto adam(double rate, double b1, double b2, double epsilon, bool keras, double decay = 0, bool decoupled = true,
          bool amsgrad = false) {
  return each([=](Element e) {
    Term g = e.g, w = e.w;
    if (decoupled)
      w = w - Term(Real(rate) * decay) * w;
    else
      g = g + Term(decay) * w;
    const Term m = average(e.slot("m"), b1, g);
    Term v = average(e.slot("v"), b2, g * g);
    if (amsgrad) v = e.slot("v_max") = greater_of(e.slot("v_max"), v);
    const Term unbiased_m = m / Term(unbias(b1, e.t)), unbiased_v = v / Term(unbias(b2, e.t));
    const Real eps = keras ? Real(epsilon / sqrt(unbias(b2, e.t))) : Real(epsilon);
    e.w = w - Term(rate) * unbiased_m / (root(unbiased_v) + Term(eps));
  });
}

auto sgd_pytorch(double rate, double momentum, double dampening, double decay, bool nesterov) {
  return each([=](Element e) {
    const Term g = e.g + Term(decay) * e.w;
    Term& v = e.slot("velocity");
    v = e.t == 1 ? g : Term(momentum) * v + Term(1 - Real(dampening)) * g;
    e.w = e.w - Term(rate) * (nesterov ? g + Term(momentum) * v : v);
  });
}

auto nadam(double rate, double epsilon, double psi, double decay, bool keras) {
  return [=](Exact& e) {
    const auto mu = [&](int t) { return Real(0.9) * (1 - pow(Real(0.96), Real(t) * Real(psi)) / 2); };
    Term& kept = e.slots.at("momentum_product")[0];
    kept = Term(kept.v * mu(e.t));
    const Real product = kept.v;
    for (std::size_t i = 0; i < e.w.size(); ++i) {
      Term w = e.w[i], g = e.g[i];
      if (keras)
        w = w - Term(Real(rate) * decay) * w;
      else
        g = g + Term(decay) * w;
      const Term m = average(e.slots.at("m")[i], 0.9, g), v = average(e.slots.at("v")[i], 0.999, g * g);
      const Term ahead =
          Term(Real(mu(e.t + 1) / (1 - product * mu(e.t + 1)))) * m + Term(Real((1 - mu(e.t)) / (1 - product))) * g;
      e.w[i] = w - Term(rate) * ahead / (root(v / Term(unbias(0.999, e.t))) + Term(epsilon));
    }
  };
}

auto radam(double rate, double b2, double decay, bool decoupled) {
  return each([=](Element e) {
    Term g = e.g, w = e.w;
    if (decoupled)
      w = w - Term(Real(rate) * decay) * w;
    else
      g = g + Term(decay) * w;
    const Term m = average(e.slot("m"), 0.9, g), v = average(e.slot("v"), b2, g * g);
    const Term unbiased = m / Term(unbias(0.9, e.t));
    const Term all = Term(2) / Term(1 - Real(b2)) - Term(1);
    const Term length = all - Term(Real(2 * e.t * pow(Real(b2), e.t) / unbias(b2, e.t)));
    if (length.v <= 5) {
      e.w = w - Term(rate) * unbiased;
      return;
    }
    const Term c = root((length - Term(4)) * (length - Term(2)) * all / ((all - Term(4)) * (all - Term(2)) * length));
    e.w = w - Term(rate) * c * unbiased * Term(Real(sqrt(unbias(b2, e.t)))) / (root(v) + Term(1e-8));
  });
}

auto ftrl(double rate, double power, double l1, double l2, double shrinkage, double beta) {
  return each([=](Element e) {
    const auto q = [&](const Term& n) { return power == -0.5 ? root(n) : test::power(n, -power); };
    Term &n = e.slot("sum"), &z = e.slot("linear");
    const Term next = n + e.g * e.g;
    z = z + (e.g + Term(2 * Real(shrinkage)) * e.w - (q(next) - q(n)) / Term(rate) * e.w);
    n = next;
    const Term divisor = q(n) / Term(rate) + Term(Real(Real(beta) / rate + 2 * Real(l2)));
    e.w = (lesser_of(greater_of(z, Term(-l1)), Term(l1)) - z) / divisor;
  });
}

auto asgd(double rate, double lambda, double t0, double decay) {
  return each([=](Element e) {
    const Real eta = Real(rate) / pow(1 + Real(lambda) * rate * (e.t - 1), Real(0.75));
    const Term g = e.g + Term(decay) * e.w;
    e.w = e.w - Term(Real(eta * lambda)) * e.w - Term(eta) * g;
    const double steps = std::max(1.0, e.t - 1 - t0);
    Term& a = e.slot("average");
    a = steps == 1 ? e.w : a + (e.w - a) / Term(steps);
  });
}

auto schedule_free(double rate, double decay) {
  return [=](Exact& e) {
    Term& sum = e.slots.at("weight_sum")[0];
    sum = sum + Term(Real(Real(rate) * rate));
    e.slots.at("largest_rate")[0] = Term(rate);  // it stays
    const Real c = Real(rate) * rate / sum.v;
    for (std::size_t i = 0; i < e.w.size(); ++i) {
      Term &y = e.w[i], &z = e.slots.at("z")[i], &x = e.slots.at("x")[i];
      if (e.t == 1) z = x = y;
      const Term v = average(e.slots.at("v")[i], 0.999, e.g[i] * e.g[i]);
      const Term d = e.g[i] / (root(v / Term(unbias(0.999, e.t))) + Term(1e-8)) + Term(decay) * y;
      z = z - Term(rate) * d;
      x = Term(Real(1 - c)) * x + Term(c) * z;
      y = Term(1 - Real(0.9)) * z + Term(0.9) * x;
    }
  };
}

}  // namespace

std::vector<Recurrence> elementwise_recurrences() {
  return {
      {SGD{.weight_decay = 0.1}, each([](Element e) { e.w = e.w - Term(0.01 * Real(0.1)) * e.w - Term(0.01) * e.g; })},
      {SGD{.momentum = 0.9}, each([](Element e) {
         Term& v = e.slot("velocity");
         v = Term(0.9) * v - Term(0.01) * e.g;
         e.w = e.w + v;
       })},
      {SGD{.momentum = 0.8, .nesterov = true}, each([](Element e) {
         Term& v = e.slot("velocity");
         v = Term(0.8) * v - Term(0.01) * e.g;
         e.w = e.w + Term(0.8) * v - Term(0.01) * e.g;
       })},
      {SGD{.weight_decay = 0.1, .convention = pytorch},
       each([](Element e) { e.w = e.w - Term(1e-3) * (e.g + Term(0.1) * e.w); })},
      {SGD{.momentum = 0.9, .dampening = 0.3, .weight_decay = 0.1, .convention = pytorch},
       sgd_pytorch(1e-3, 0.9, 0.3, 0.1, false)},
      {SGD{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .convention = pytorch},
       sgd_pytorch(0.05, 0.9, 0, 0, true)},
      {RMSprop{}, each([](Element e) {
         e.w = e.w - Term(1e-3) * e.g / root(average(e.slot("square"), 0.9, e.g * e.g) + Term(1e-7));
       })},
      {RMSprop{.learning_rate = 0.01, .rho = 0.95, .momentum = 0.5, .centered = true}, each([](Element e) {
         const Term s = average(e.slot("square"), 0.95, e.g * e.g), a = average(e.slot("mean"), 0.95, e.g);
         Term& v = e.slot("velocity");
         v = Term(0.5) * v + Term(0.01) * e.g / root(greater_of(s - a * a, Term(0)) + Term(1e-7));
         e.w = e.w - v;
       })},
      {RMSprop{.convention = pytorch}, each([](Element e) {
         e.w = e.w - Term(0.01) * e.g / (root(average(e.slot("square"), 0.99, e.g * e.g)) + Term(1e-8));
       })},
      {RMSprop{.momentum = 0.5, .weight_decay = 0.1, .convention = pytorch}, each([](Element e) {
         const Term g = e.g + Term(0.1) * e.w;
         Term& v = e.slot("velocity");
         v = Term(0.5) * v + g / (root(average(e.slot("square"), 0.99, g * g)) + Term(1e-8));
         e.w = e.w - Term(0.01) * v;
       })},
      {Adam{}, adam(1e-3, 0.9, 0.999, 1e-7, true)},
      {Adam{.learning_rate = 0.01, .beta_1 = 0, .beta_2 = 0}, adam(0.01, 0, 0, 1e-7, true)},
      {Adam{.learning_rate = 0.01, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.1},
       adam(0.01, 0.8, 0.95, 1e-3, true, 0.1)},
      {Adam{.amsgrad = true}, adam(1e-3, 0.9, 0.999, 1e-7, true, 0, true, true)},
      {Adam{.convention = pytorch}, adam(1e-3, 0.9, 0.999, 1e-8, false)},
      {Adam{.beta_2 = 0.9, .epsilon = 1e-3, .weight_decay = 0.1, .amsgrad = true, .convention = pytorch},
       adam(1e-3, 0.9, 0.9, 1e-3, false, 0.1, false, true)},
      {AdamW{}, adam(1e-3, 0.9, 0.999, 1e-7, true, 0.004)},
      {AdamW{.learning_rate = 0.1, .convention = pytorch}, adam(0.1, 0.9, 0.999, 1e-8, false, 0.01)},
      {Adagrad{}, each([](Element e) {
         Term& s = e.slot("sum");
         s = s + e.g * e.g;
         e.w = e.w - Term(1e-3) * e.g / root(s + Term(1e-7));
       })},
      {Adagrad{.convention = pytorch}, each([](Element e) {
         Term& s = e.slot("sum");
         s = s + e.g * e.g;
         e.w = e.w - Term(0.01) * e.g / (root(s) + Term(1e-10));
       })},
      {Adadelta{.convention = pytorch}, each([](Element e) {
         const Term s = average(e.slot("square"), 0.9, e.g * e.g);
         const Term d = root(e.slot("step_square") + Term(1e-6)) / root(s + Term(1e-6)) * e.g;
         average(e.slot("step_square"), 0.9, d * d);
         e.w = e.w - d;
       })},
      {Adadelta{.weight_decay = 0.1}, each([](Element e) {
         const Term s = average(e.slot("square"), 0.95, e.g * e.g);
         const Term d = root(e.slot("step_square") + Term(1e-7)) / root(s + Term(1e-7)) * e.g;
         average(e.slot("step_square"), 0.95, d * d);
         e.w = e.w - Term(1e-3 * Real(0.1)) * e.w - Term(1e-3) * d;
       })},
      {Adamax{}, each([](Element e) {
         const Term m = average(e.slot("m"), 0.9, e.g);
         Term& u = e.slot("u");
         u = greater_of(Term(0.999) * u, size_of(e.g));
         e.w = e.w - Term(1e-3) / Term(unbias(0.9, e.t)) * m / (u + Term(1e-7));
       })},
      {Adamax{.epsilon = 1e-3, .convention = pytorch}, each([](Element e) {
         const Term m = average(e.slot("m"), 0.9, e.g);
         Term& u = e.slot("u");
         u = greater_of(Term(0.999) * u, size_of(e.g) + Term(1e-3));
         e.w = e.w - Term(2e-3) / Term(unbias(0.9, e.t)) * m / u;
       })},
      {Nadam{.weight_decay = 0.1}, nadam(1e-3, 1e-7, 1, 0.1, true)},
      {Nadam{.weight_decay = 0.1, .convention = pytorch}, nadam(2e-3, 1e-8, 0.004, 0.1, false)},
      {RAdam{}, radam(1e-3, 0.999, 0, false)},
      {RAdam{.beta_2 = 0.99, .weight_decay = 0.1, .decoupled_weight_decay = true}, radam(1e-3, 0.99, 0.1, true)},
      {Lion{.weight_decay = 0.1}, each([](Element e) {
         const Term c = Term(0.9) * e.slot("m") + Term(1 - Real(0.9)) * e.g;
         e.w = e.w - Term(1e-3 * Real(0.1)) * e.w - Term(1e-3) * Term(sign_of(c));
         average(e.slot("m"), 0.99, e.g);
       })},
      {Ftrl{.learning_rate = 0.1}, ftrl(0.1, -0.5, 0, 0, 0, 0)},
      {Ftrl{.learning_rate = 0.1, .l1 = 0.05, .l2 = 0.1, .l2_shrinkage = 0.2, .beta = 0.3},
       ftrl(0.1, -0.5, 0.05, 0.1, 0.2, 0.3)},
      {Ftrl{.learning_rate_power = -0.7}, ftrl(1e-3, -0.7, 0, 0, 0, 0)},
      {Rprop{}, each([](Element e) {
         Term &before = e.slot("gradient"), &d = e.slot("step");
         if (e.t == 1) d = Term(0.01);
         const int agree = sign_of(e.g) * sign_of(before);
         d = lesser_of(greater_of(d * Term(agree > 0 ? 1.2 : agree < 0 ? 0.5 : 1), Term(1e-6)), Term(50));
         before = agree < 0 ? Term(0) : e.g;
         e.w = e.w - Term(sign_of(before)) * d;
       })},
      {ASGD{}, asgd(0.01, 1e-4, 1e6, 0)},
      {ASGD{.lambda = 0.01, .t0 = 5, .weight_decay = 0.1}, asgd(0.01, 0.01, 5, 0.1)},
      {ScheduleFreeAdamW{}, schedule_free(0.0025, 0)},
      {ScheduleFreeAdamW{.learning_rate = 0.01, .weight_decay = 0.1}, schedule_free(0.01, 0.1)},
  };
}

}  // namespace oxbow::test
