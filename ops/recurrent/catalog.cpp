#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/recurrent/lstm.h>

namespace oxbow::ops {

void add_recurrent(Catalog& c) {
  c.add<Lstm>({.formula = "i, f, n, o = gates of x[t] + h U; c = f c + i n; h = o tanh(c)",
               .example = inputs({{f64, {3, 2, 8}}, {f64, {2, 8}}, {f64, {2, 2}}, {f64, {2, 2}}})});
  c.add<LstmGradient>({.formula = "dx, dh and dc from what lstm gave"}, Made::by_gradients);
}

}  // namespace oxbow::ops
