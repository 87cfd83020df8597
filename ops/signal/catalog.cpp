#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/signal/dft.h>

namespace oxbow::ops {

void add_signal(Catalog& c) {
  c.add<Dft>({.formula = "sum over j of x[j] e^(-2 pi i j k / n)", .example = inputs({{f64, {4, 2}}})});
}

}  // namespace oxbow::ops
