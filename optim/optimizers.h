// All optimizers at once, for those who train models, and for the list of those that have a name.
#pragma once

#include <oxbow/optim/optimizers/adadelta.h>
#include <oxbow/optim/optimizers/adafactor.h>
#include <oxbow/optim/optimizers/adagrad.h>
#include <oxbow/optim/optimizers/adam.h>
#include <oxbow/optim/optimizers/adamax.h>
#include <oxbow/optim/optimizers/adamw.h>
#include <oxbow/optim/optimizers/asgd.h>
#include <oxbow/optim/optimizers/ftrl.h>
#include <oxbow/optim/optimizers/lamb.h>
#include <oxbow/optim/optimizers/lars.h>
#include <oxbow/optim/optimizers/lion.h>
#include <oxbow/optim/optimizers/muon.h>
#include <oxbow/optim/optimizers/nadam.h>
#include <oxbow/optim/optimizers/radam.h>
#include <oxbow/optim/optimizers/rmsprop.h>
#include <oxbow/optim/optimizers/rprop.h>
#include <oxbow/optim/optimizers/schedule_free.h>
#include <oxbow/optim/optimizers/sgd.h>
