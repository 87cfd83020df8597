// Graphs and plans are the same with every compiler: the texts of the examples, of random graphs and of each
// optimizer's training step have the digests that are committed in tests/figures/dump_digests.txt, as built, and
// (examples and random graphs) after all rewrites and as planned for two threads. What is folded, and into how many
// parts a product is cut, depends on whether the kernels have fused multiply-adds and AVX-512, so those lines stand
// three times, with "@avx512", "@fma" and "@no_fma". After a change that is meant,
//   OXBOW_WRITE_DIGESTS=1 build/bin/test_tools --run_test=test_digests
// writes this machine's anew; the others follow by the same, as `LIBXSMM_TARGET=hsw` and
// `/lib64/ld-linux-x86-64.so.2 --glibc-hwcaps-mask x86-64-v3` or `none` have a machine without.
// A build by another compiler (`tools/build clang test_tools`) then has to agree.
// Labels: levels.
#include <dump/stages.h>
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/ops/linalg/product.h>
#include <oxbow/ops/shared/gemm.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/ledger/text.h>
#include <oxbow/runtime/run/program_impl.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "examples/examples.h"
#include "samples/sample.h"
#include "support/fine_grain.h"
#include "support/places.h"
#include "support/random_graph.h"
#include "support/resnet50.h"

BOOST_AUTO_TEST_SUITE(test_digests)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::ops;

namespace {

const std::string file = test::source("tests/figures/dump_digests.txt");

// FNV-1a, 64 bits (Fowler, Noll, Vo; RFC 9923), of all texts that were added.
class Digest {
 public:
  void add(const std::string& text) {
    for (const char c : text) h_ = (h_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  std::string hex() const {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(h_));
    return text;
  }

 private:
  std::uint64_t h_ = 0xcbf29ce484222325;
};

// By name; graphs that share a name share a line.
using Digests = std::map<std::string, Digest>;

// Whether the kernels in use round a product and its addition once: fma(x, x, -x^2) is then what x^2, rounded, left
// out.
bool fuses() {
  const float x = 1.1f, square = x * x;
  const Tensor left[] = {Tensor::of<float>({1, 2}, {-square, x}), Tensor::of<float>({2, 1}, {1, x})};
  return evaluate(Product{}, left)[0].item<float>() != 0;
}
// What is folded and how products are cut depends on these.
const std::string& kind() {
  static const std::string own = !fuses() ? "@no_fma" : gemm::reads_whole_panels() ? "@avx512" : "@fma";
  return own;
}
const std::string op_prefix = "op/";
const PrintOptions no_lines{.locations = false};  // of whatever file builds it

// A NaN that is folded has one sign or the other, as the instruction set has it.
std::string any_nan(std::string text) {
  for (std::size_t at = 0; (at = text.find("nan(0x", at)) != std::string::npos; at += 3)
    text.erase(at + 3, text.find(')', at) - at - 2);
  return text;
}

// The graph as built, after all rewrites, and its plan for two threads, made as finely as `grain` says.
void add_way(Digests& all, const std::string& name, const Graph& graph, const std::vector<Value>& fetches,
             const Grain& grain) {
  const Ledger plan = ledger(Program::Impl::compile(fetches, {.pool = Pool(2)}, grain));
  all[name].add(print(graph, no_lines));
  all[name + "/rewritten" + kind()].add(any_nan(print(*plan.graph, no_lines)));
  all[name + "/plan" + kind()].add(any_nan(print(plan, no_lines)));
}

// Everything that surrounds an optimizer: a schedule, groups, clipping, accumulation, averages, loss scaling.
std::string training_step(const optim::Optimizer& optimizer, const optim::MinimizeOptions& options = {}) {
  Graph g;
  const Value x = input(g, "x", f32, {any(8), 6}), y = input(g, "y", i64, {any(8)});
  Value h = dropout(batch_norm(dense(x, 5, {.activation = gelu})), 0.5);
  h = softmax(dense(h, 5, {.activation = tanh}));
  optim::minimize(cross_entropy(dense(h, 3), y), optimizer, options);
  return print(g, no_lines);
}

// The net of tests/programs/layers.cpp, and layers of the other kinds behind it, trained.
std::string layers() {
  Graph g;
  const Value x = input(g, "x", f32, {any(32), 20, 8}), other = input(g, "other", f32, {any(32), 20, 8}),
              padding = input(g, "padding", boolean, {any(32), 20});
  const Sequential encode("encoder", {GRU(24, {.return_sequences = true}), TransformerBlock(4, {.causal = true}),
                                      GlobalPool(), Dense(6, {.activation = tanh})});
  const BatchNorm norm;
  const Value a = norm(encode(x)), b = norm(encode(other));
  const Dense narrow(3), widen(6, {.transpose_of = narrow});
  Value loss = mean_squared_error(widen(narrow(a)), b);
  const MultiHeadAttention attend(4, 2, {.kv_heads = 2, .causal = true, .dropout = 0.1});
  const Value seen = GroupNorm(2)(RMSNorm()(attend(x, {.value = other, .key_mask = padding})));
  const Sequential read{Residual{SimpleRNN(8, {.return_sequences = true}), relu}, LSTM(4, {.return_sequences = true}),
                        Bidirectional(GRU(2, {.reset_after = false, .unroll = true}))};
  loss = loss + mean(square(read(seen)));
  optim::minimize(loss, optim::SGD{});
  return print(g, no_lines);
}

// The samples of an op, as built: a line an op.
void add_op(Digests& all, const std::string& name, const std::vector<test::Sample>& samples) {
  Digest& digest = all[op_prefix + name];
  for (const test::Sample& s : samples) {
    Graph g;
    std::vector<Value> inputs;
    for (const Tensor& t : s.inputs) {
      if (s.op.info().by_value.contains(static_cast<int>(inputs.size()))) {
        inputs.push_back(constant(g, t));
        continue;
      }
      const std::vector<Dim> dims(t.shape().begin(), t.shape().end());
      inputs.push_back(input(g, "x" + std::to_string(inputs.size()), t.dtype(), dims));
    }
    g.append(s.op, inputs, {});
    digest.add(print(g, no_lines));
  }
}

// `ops` are those that have a line: a new op has none until the file is written anew, and changes no other line.
Digests digests(const std::set<std::string>& ops) {
  Digests all;
  for (const auto& [name, samples] : test::all_samples())
    if (ops.contains(name)) add_op(all, name, samples);
  const test::RandomGraphs random_graph(ops);
  const auto add = [&](const std::string& name, const std::string& text) { all[name].add(text); };
  for (const examples::Example& e : examples::examples()) {
    const std::shared_ptr<Graph> g = e.build();
    add_way(all, "example/" + std::string(e.name), *g, tools::fetches(*g), {});
  }
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    const test::RandomGraph r = random_graph(seed);
    const std::uint64_t first = (seed - 1) / 250 * 250 + 1;
    add_way(all, "random/" + std::to_string(first) + "-" + std::to_string(first + 249), *r.graph, r.fetches,
            test::fine_grain);
  }
  Graph resnet;
  test::resnet50(resnet);
  add("resnet50", print(resnet, no_lines));
  add("layers", layers());
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

BOOST_AUTO_TEST_CASE(graphs_and_plans_have_the_committed_digests) {
  std::map<std::string, std::string> then = committed(), others;
  const bool write = std::getenv("OXBOW_WRITE_DIGESTS") != nullptr;
  std::set<std::string> ops;
  for (const auto& [name, entry] : catalog().entries())
    if (write || then.contains(op_prefix + name)) ops.insert(name);
  const Digests now = digests(ops);
  std::erase_if(then, [&](const auto& line) {
    const bool other = line.first.find('@') != std::string::npos && !line.first.ends_with(kind());
    if (other) others.insert(line);
    return other;
  });
  if (write) {
    then.clear();
    for (const auto& [name, digest] : now) then[name] = digest.hex();
    others.insert(then.begin(), then.end());
    std::ofstream out(file);
    for (const auto& [name, hex] : others) out << name << " " << hex << "\n";
    BOOST_REQUIRE(out.flush());
  }
  BOOST_TEST(then.size() == now.size());
  for (const auto& [name, digest] : now) {
    const auto known = then.find(name);
    BOOST_TEST((known != then.end() && known->second == digest.hex()), name << " is another graph");
  }
}

BOOST_AUTO_TEST_SUITE_END()
