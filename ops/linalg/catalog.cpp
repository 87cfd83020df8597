#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/linalg/inverse.h>
#include <oxbow/ops/linalg/matmul.h>
#include <oxbow/ops/linalg/pack.h>
#include <oxbow/ops/linalg/product.h>

namespace oxbow::ops {

void add_linalg(Catalog& c) {
  c.add<MatMul>({.formula = "a b over the last two axes", .example = inputs({{f64, {2, 3}}, {f64, {3, 4}}})});
  c.add<Contract>({.formula = "the sum of a[..., i] b[..., j] over all axes but the last",
                   .example = inputs({{f64, {5, 2}}, {f64, {5, 3}}})});
  c.add<Det>({.formula = "the determinant of each matrix", .example = inputs({{f64, {3, 3}}})});
  c.add<Inverse>({.formula = "the inverse of each matrix", .example = inputs({{f64, {3, 3}}})});
  c.add<Product>({.formula = "a b with b in panels"}, Made::by_passes);
  c.add<Pack>({.formula = "a matrix in panels of columns"}, Made::by_passes);
}

}  // namespace oxbow::ops
