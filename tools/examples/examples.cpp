#include "examples/examples.h"

#include <algorithm>

#include "examples/entry.h"

namespace oxbow::examples {

void finish(Graph& g, Value loss, const std::vector<Value>& updates) {
  g.add_output("loss", loss);
  for (const Value& update : updates) g.add_update(update);
}

void finish(Graph& g, const Classifier& net) {
  g.add_output("loss", net.loss);
  g.add_output("accuracy", net.accuracy);
  g.add_output("logits", net.logits);
  for (const Value& update : optim::minimize(net.loss, "adam").updates) g.add_update(update);
}

void finish(Graph& g, const std::pair<optim::Minimized, optim::Minimized>& steps) {
  g.add_output("loss", steps.first.loss);
  g.add_output("other_loss", steps.second.loss);
  for (const optim::Minimized* step : {&steps.first, &steps.second})
    for (const Value& update : step->updates)
      if (std::none_of(g.updates().begin(), g.updates().end(), [&](const Value& u) { return u.same(update); }))
        g.add_update(update);
}

std::shared_ptr<Graph> build(std::string_view name) {
  for (const Example& e : examples())
    if (e.name == name) return e.build();
  throw Error("there is no such example");
}

}  // namespace oxbow::examples
