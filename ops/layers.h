// Layers: objects that make their variables at the first call and keep them (ops/layers/), and short forms for those
// that are called once. Each has a scope of its own, by default its kind numbered within the current scope: "dense",
// "dense_1", ...; so the first kernel is "dense/kernel".
//
//   // with #include <oxbow/ops/ops.h>
//   Value h = dense(x, 256, {.activation = relu});
//   Value logits = dense(dropout(h, 0.2), 10);
//
//   Sequential net{Dense(256, {.activation = relu}), Dropout(0.2), Dense(10)};
//   Value here = net(x), there = net(y);  // the same weights
//   std::cout << summary(net);
#pragma once

#include <oxbow/ops/layers/attention.h>
#include <oxbow/ops/layers/compose.h>
#include <oxbow/ops/layers/dense.h>
#include <oxbow/ops/layers/images.h>
#include <oxbow/ops/layers/normalise.h>
#include <oxbow/ops/layers/recurrent.h>
#include <oxbow/ops/layers/summary.h>
#include <oxbow/ops/layers/transformer.h>

namespace oxbow {

/// A `Dense` layer, called once.
Value dense(Value x, std::int64_t units, DenseOptions options = {}, At at = At::current());

/// A `Conv2D` layer, called once.
Value conv(Value x, std::int64_t filters, ConvOptions options = {}, At at = At::current());

/// A `BatchNorm` layer, called once.
Value batch_norm(Value x, BatchNormOptions options = {}, At at = At::current());

}  // namespace oxbow
