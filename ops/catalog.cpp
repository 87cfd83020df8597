#include <oxbow/ops/catalog.h>
#include <oxbow/ops/ops.h>

namespace oxbow {
namespace {

// One line a family.
Catalog all() {
  Catalog c = Catalog::leaves();
  c.add<StopGradient>();
  return c;
}

}  // namespace

const Catalog& catalog() {
  static const Catalog c = all();
  return c;
}

}  // namespace oxbow
