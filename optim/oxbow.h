// All of Oxbow.
#pragma once

#include <oxbow/graph/dot/dot.h>
#include <oxbow/graph/text/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/model/checkpoint.h>
#include <oxbow/optim/model/model.h>
#include <oxbow/optim/optimizers/optimizers.h>
#include <oxbow/optim/rate/judge.h>
#include <oxbow/optim/rate/lr_find.h>
#include <oxbow/optim/rate/schedules.h>
#include <oxbow/optim/rate/sharpness.h>
#include <oxbow/runtime/data/atomic_file.h>
#include <oxbow/runtime/data/idx.h>
#include <oxbow/runtime/data/mnist.h>
#include <oxbow/runtime/data/safetensors.h>
#include <oxbow/runtime/program.h>
