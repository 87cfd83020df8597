// All of Oxbow.
#pragma once

#include <oxbow/graph/text.h>
#include <oxbow/graph/updates.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/checkpoint.h>
#include <oxbow/optim/csv.h>
#include <oxbow/optim/idx.h>
#include <oxbow/optim/image.h>
#include <oxbow/optim/judge.h>
#include <oxbow/optim/loader.h>
#include <oxbow/optim/lr_find.h>
#include <oxbow/optim/metrics.h>
#include <oxbow/optim/mnist.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/normalization.h>
#include <oxbow/optim/npy.h>
#include <oxbow/optim/npz.h>
#include <oxbow/optim/optimizers.h>
#include <oxbow/optim/saved_model.h>
#include <oxbow/optim/schedules.h>
#include <oxbow/optim/sharpness.h>
#include <oxbow/optim/table_encoder.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/program.h>
#include <oxbow/runtime/safetensors.h>
