// The one list of the optimizers that have a name. A new one is a line here, and its file.
#include <oxbow/optim/adam.h>
#include <oxbow/optim/rmsprop.h>
#include <oxbow/optim/sgd.h>

namespace oxbow::optim {

std::vector<Named> optimizers() { return {{"sgd", SGD{}}, {"rmsprop", RMSprop{}}, {"adam", Adam{}}}; }

}  // namespace oxbow::optim
