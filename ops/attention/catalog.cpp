#include <oxbow/ops/attention/attention.h>
#include <oxbow/ops/catalog/families.h>

namespace oxbow::ops {

void add_attention(Catalog& c) {
  c.add<ScaledDotProductAttention>({.formula = "softmax(scale q k^T) v where mask, and the logarithm of each sum",
                                    .example = inputs({{f64, {2, 3, 4}}, {f64, {2, 5, 4}}, {f64, {2, 5, 4}}})});
  c.add<ScaledDotProductAttentionGradient>({.formula = "dq, dk and dv from what attention gave"}, Made::by_gradients);
}

}  // namespace oxbow::ops
