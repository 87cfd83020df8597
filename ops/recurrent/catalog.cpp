#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/recurrent/gru.h>
#include <oxbow/ops/recurrent/lstm.h>
#include <oxbow/ops/recurrent/simple_rnn.h>

namespace oxbow::ops {

void add_recurrent(Catalog& c) {
  c.add<Lstm>({.formula = "i, f, n, o = gates of x[t] + h U; c = f c + i n; h = o tanh(c)",
               .example = inputs({{f64, {3, 2, 8}}, {f64, {2, 8}}, {f64, {2, 2}}, {f64, {2, 2}}})});
  c.add<LstmGradient>({.formula = "dx, dh and dc from what lstm gave"}, Made::by_gradients);
  c.add<Gru>({.formula = "z, r = gates of x[t] + h U; n = tanh(x[t] + r h U); h = z h + (1 - z) n",
              .example = inputs({{f64, {3, 2, 6}}, {f64, {2, 6}}, {f64, {2, 2}}})});
  c.add<GruGradient>({.formula = "dx, what flows to h U, and dh from what gru gave"}, Made::by_gradients);
  c.add<SimpleRnn>({.formula = "h = tanh(x[t] + h U), or relu",
                    .example = inputs({{f64, {3, 2, 2}}, {f64, {2, 2}}, {f64, {2, 2}}})});
  c.add<SimpleRnnGradient>({.formula = "dx and dh from what simple_rnn gave"}, Made::by_gradients);
}

}  // namespace oxbow::ops
