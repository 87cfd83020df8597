#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>

namespace oxbow {

Catalog Catalog::leaves() {
  Catalog c;
  c.add<Input>().add<Constant>().add<Variable>().add<Assign>();
  return c;
}

}  // namespace oxbow
