// The families' lists, of which the catalogue is the sum. Each stands in its family's folder, in catalog.cpp.
#pragma once

#include <oxbow/graph/catalog.h>

namespace oxbow::ops {

/// Inputs of an example, of which the types matter.
inline std::vector<Tensor> inputs(std::initializer_list<Type> types) {
  std::vector<Tensor> tensors;
  for (const Type& t : types) tensors.emplace_back(t);
  return tensors;
}

void add_pointwise(Catalog& c);
void add_reduction(Catalog& c);
void add_shape(Catalog& c);
void add_linalg(Catalog& c);
void add_conv(Catalog& c);
void add_norm(Catalog& c);
void add_attention(Catalog& c);
void add_recurrent(Catalog& c);
void add_loss(Catalog& c);
void add_random(Catalog& c);
void add_signal(Catalog& c);
void add_control(Catalog& c);

}  // namespace oxbow::ops
