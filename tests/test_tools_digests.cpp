// Graphs as built are the same with every compiler: the texts of the examples and of each optimizer's training step
// have the digests that are committed in tests/figures/dump_digests.txt. After a change that is meant,
//   OXBOW_WRITE_DIGESTS=1 build/bin/test_tools_digests
// writes them anew; a build by another compiler (g++, clang) then has to agree.
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <map>

#include "examples/examples.h"
#include "support/resnet50.h"

using namespace oxbow;

namespace {

const std::string file = SOURCE_FOLDER "/tests/figures/dump_digests.txt";

// FNV-1a, 64 bits (Fowler, Noll, Vo; RFC 9923).
std::string digest(const std::string& text) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(h));
  return hex;
}

// Everything that surrounds an optimizer: a schedule, groups, clipping, accumulation, averages, loss scaling.
std::string training_step(const optim::Optimizer& optimizer, const optim::MinimizeOptions& options = {}) {
  Graph g;
  const Value x = input(g, "x", f32, {any(8), 6}), y = input(g, "y", i64, {any(8)});
  Value h = dropout(batch_norm(dense(x, 5, {.activation = gelu})), 0.5);
  h = softmax(dense(h, 5, {.activation = tanh}));
  optim::minimize(cross_entropy(dense(h, 3), y), optimizer, options);
  return print(g);
}

std::map<std::string, std::string> digests() {
  std::map<std::string, std::string> all;
  const auto add = [&](const std::string& name, const std::string& text) { all[name] = digest(text); };
  for (const examples::Example& e : examples::examples()) {
    Graph g;
    e.build(g);
    add("example/" + std::string(e.name), print(g));
  }
  Graph resnet;
  test::resnet50(resnet);
  add("resnet50", print(resnet));
  for (const optim::Named& o : optim::optimizers()) {
    const auto name = "optimizer/" + std::string(o.name);
    add(name, training_step(o.optimizer));
    const auto fields = o.optimizer.attributes();
    if (std::any_of(fields.begin(), fields.end(), [](const auto& f) { return f.first == "convention"; }))
      add(name + "/pytorch", training_step(o.optimizer.with("convention", to_attr(optim::Convention::pytorch))));
  }
  add("sgd/nesterov", training_step(optim::SGD{.momentum = 0.9, .nesterov = true, .weight_decay = 0.1}));
  add("options", training_step(optim::AdamW{.learning_rate = optim::Warmup{.steps = 5, .then = optim::Cyclic{}}},
                               {.groups = {{.pattern = "*/bias", .rate = 2}},
                                .clip = {.value = 1, .norm = 2, .global_norm = 3, .adaptive = 0.1},
                                .accumulate = 3,
                                .average = optim::EMA{},
                                .loss_scale = optim::LossScale{}}));
  add("plateau", training_step(optim::SGD{.learning_rate = optim::Plateau{}}, {.average = optim::SWA{}}));
  return all;
}

std::map<std::string, std::string> committed() {
  std::map<std::string, std::string> all;
  std::ifstream in(file);
  for (std::string name, hex; in >> name >> hex;) all[name] = hex;
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(graphs_as_built_have_the_committed_digests) {
  const auto now = digests();
  if (std::getenv("OXBOW_WRITE_DIGESTS") != nullptr) {
    std::ofstream out(file);
    for (const auto& [name, hex] : now) out << name << " " << hex << "\n";
    BOOST_REQUIRE(out.flush());
  }
  const auto then = committed();
  BOOST_TEST(then.size() == now.size());
  for (const auto& [name, hex] : now) {
    const auto known = then.find(name);
    BOOST_TEST((known != then.end() && known->second == hex), name << " is another graph");
  }
}
