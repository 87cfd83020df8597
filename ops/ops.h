// All ops, layers, losses, initializers and `gradients` at once, for those who build models.
#pragma once

#include <oxbow/ops/attention.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/creation.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/indexing.h>
#include <oxbow/ops/initializers.h>
#include <oxbow/ops/layers.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/loss.h>
#include <oxbow/ops/norm.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pool.h>
#include <oxbow/ops/random.h>
#include <oxbow/ops/recurrent.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/resize.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/signal.h>
#include <oxbow/ops/store_activations.h>
