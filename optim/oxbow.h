// All of Oxbow.
#pragma once

#include <oxbow/graph/dot.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/adam.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/rmsprop.h>
#include <oxbow/optim/sgd.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/idx.h>
#include <oxbow/runtime/mnist.h>
#include <oxbow/runtime/program.h>
#include <oxbow/runtime/safetensors.h>
