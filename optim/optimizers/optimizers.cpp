// The one list of the optimizers that have a name. A new one is a line here, one in optimizers.h, and its file.
#include <oxbow/optim/optimizers.h>

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
