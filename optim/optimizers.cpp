// The one list of the optimizers that have a name. A new one is a line here, and its file.
#include <oxbow/optim/adadelta.h>
#include <oxbow/optim/adafactor.h>
#include <oxbow/optim/adagrad.h>
#include <oxbow/optim/adam.h>
#include <oxbow/optim/adamax.h>
#include <oxbow/optim/adamw.h>
#include <oxbow/optim/asgd.h>
#include <oxbow/optim/ftrl.h>
#include <oxbow/optim/lamb.h>
#include <oxbow/optim/lars.h>
#include <oxbow/optim/lion.h>
#include <oxbow/optim/muon.h>
#include <oxbow/optim/nadam.h>
#include <oxbow/optim/radam.h>
#include <oxbow/optim/rmsprop.h>
#include <oxbow/optim/rprop.h>
#include <oxbow/optim/schedule_free.h>
#include <oxbow/optim/sgd.h>

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
