// The one list of the optimizers that have a name. A new one is a line here, and its file.
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

namespace oxbow::optim {

std::vector<Named> optimizers() {
  return {
      {"sgd", SGD{}},
      {"rmsprop", RMSprop{}},
      {"adam", Adam{}},
      {"amsgrad", Adam{.amsgrad = true}},
      {"adamw", AdamW{}},
      {"adagrad", Adagrad{}},
      {"adadelta", Adadelta{}},
      {"adamax", Adamax{}},
      {"nadam", Nadam{}},
      {"radam", RAdam{}},
      {"lion", Lion{}},
      {"lamb", LAMB{}},
      {"lars", LARS{}},
      {"adafactor", Adafactor{}},
      {"ftrl", Ftrl{}},
      {"rprop", Rprop{}},
      {"asgd", ASGD{}},
      {"muon", Muon{}},
      {"schedule_free_adamw", ScheduleFreeAdamW{}},
  };
}

}  // namespace oxbow::optim
