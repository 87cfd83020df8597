// All ops, layers, losses and `gradients` at once, for those who build models.
#pragma once

#include <oxbow/ops/activation.h>
#include <oxbow/ops/argmax.h>
#include <oxbow/ops/arithmetic.h>
#include <oxbow/ops/batch_norm.h>
#include <oxbow/ops/broadcast.h>
#include <oxbow/ops/cast.h>
#include <oxbow/ops/compare.h>
#include <oxbow/ops/concat.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/dropout.h>
#include <oxbow/ops/gather.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/init.h>
#include <oxbow/ops/layers.h>
#include <oxbow/ops/loss.h>
#include <oxbow/ops/matmul.h>
#include <oxbow/ops/one_hot.h>
#include <oxbow/ops/pool.h>
#include <oxbow/ops/reduce.h>
#include <oxbow/ops/reshape.h>
#include <oxbow/ops/slice.h>
#include <oxbow/ops/softmax.h>
#include <oxbow/ops/stop_gradient.h>
#include <oxbow/ops/transpose.h>
#include <oxbow/ops/unary.h>
