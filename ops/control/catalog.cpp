#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/control/cond.h>
#include <oxbow/ops/control/guarded.h>
#include <oxbow/ops/control/repeat.h>
#include <oxbow/ops/control/require_finite.h>
#include <oxbow/ops/control/require_within.h>
#include <oxbow/ops/control/stop_gradient.h>

namespace oxbow::ops {

void add_control(Catalog& c) {
  c.add<StopGradient>({.formula = "x, taken for a constant by gradients", .example = inputs({{f64, {2, 3}}})});
  c.add<RequireFinite>({.formula = "x; the run fails where it is a NaN or Inf", .example = inputs({{f64, {}}})});
  c.add<RequireWithin>({.formula = "x; the run fails where an element is below 0 or not below size",
                        .example = inputs({{i64, {3}}, {i64, {}}})});
  c.add<Cond>({.formula = "what one of two subgraphs computes, as the predicate says"});
  c.add<Repeat>({.formula = "a subgraph, computed a number of times, on what it carried"});
  c.add<Guarded>({.formula = "an op that is computed only where the predicate of its branch holds"}, Made::by_passes);
  c.add<Merge>({.formula = "what the branch that was taken computed"}, Made::by_passes);
}

}  // namespace oxbow::ops
