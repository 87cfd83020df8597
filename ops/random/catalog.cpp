#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/random/dropout.h>

namespace oxbow::ops {

void add_random(Catalog& c) {
  c.add<Dropout>(
      {.formula = "x / (1 - rate) with probability 1 - rate, else 0", .example = inputs({{f64, {2, 3}}, {i64, {2}}})});
}

}  // namespace oxbow::ops
