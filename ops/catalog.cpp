#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/catalog/families.h>

namespace oxbow {
namespace {

Catalog all() {
  Catalog c = Catalog::leaves();
  c.add<internal::Fused>({.formula = "a chain of elementwise ops, in one pass"}, Made::by_passes);
  ops::add_pointwise(c);
  ops::add_reduction(c);
  ops::add_shape(c);
  ops::add_linalg(c);
  ops::add_conv(c);
  ops::add_norm(c);
  ops::add_attention(c);
  ops::add_recurrent(c);
  ops::add_loss(c);
  ops::add_random(c);
  ops::add_signal(c);
  ops::add_control(c);
  return c;
}

}  // namespace

const Catalog& catalog() {
  static const Catalog c = all();
  return c;
}

}  // namespace oxbow
