// ResNet-50 (He et al. 2015, table 1) for images of 224 x 224, with its gradients and Adam: more than 5,000 nodes in
// scopes three deep, to see whether tools stay quick and pictures readable.
#pragma once

#include <oxbow/graph/graph.h>

namespace oxbow::test {

/// The whole training step; outputs "loss" and "logits".
void resnet50(Graph& g);

}  // namespace oxbow::test
