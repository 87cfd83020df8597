#include "hostile_program.h"

#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/text.h>
#include <oxbow/graph/verify.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/runtime/ledger/text.h>
#include <oxbow/runtime/run/program_impl.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "fine_grain.h"
#include "hostile_calls.h"
#include "interpreter.h"

namespace oxbow::test {
using namespace internal;

namespace {

// A program may ask for more bytes than there are, or for more nodes than are compiled and compared in a second: that
// is built, verified, printed and read back, but not run.
constexpr std::int64_t most_arena = 1 << 20, most_nodes = 3000;

struct Failure {
  std::string what;
};

void check_text(const Graph& g) {
  const std::string text = print(g);
  try {
    const std::unique_ptr<Graph> again = parse(text, catalog());
    if (!equal(g, *again)) throw Failure{"another graph is read back"};
    if (print(*again) != text) throw Failure{"no fixed point: " + print(*again)};
  } catch (const Error& e) {
    throw Failure{std::string("its text is refused: ") + e.what()};
  }
}

void check_plan(const Program& program) {
  const std::string text = print(ledger(program));
  try {
    const std::shared_ptr<const Graph> graph = parse(text, catalog());
    const std::optional<Ledger> again = parse_ledger(text, graph);
    if (!again || print(*again) != text) throw Failure{"another plan is read back of " + text};
  } catch (const Error& e) {
    throw Failure{std::string("its plan is refused: ") + e.what() + "\n" + text};
  }
}

// With one NaN for all: see tests/system/test_random_graphs.cpp. And with zeros for denormals, as kernels take and give
// them: one that was fed is seen again where a rewrite leaves such a kernel out, as of a sum over an axis of size 1.
Tensor as_compared(const Tensor& of) {
  Tensor t = of.clone();
  dispatch(t.dtype(), [&]<class T>(std::type_identity<T>) {
    for (T& x : t.span<T>()) {
      if (x != x) x = static_cast<T>(std::numeric_limits<float>::quiet_NaN());
      if (t.dtype() != f32 && t.dtype() != bf16 && t.dtype() != f64) continue;
      const auto n = static_cast<double>(x);
      const double least = t.dtype() == f64 ? std::numeric_limits<double>::min() : std::numeric_limits<float>::min();
      if (std::abs(n) < least) x = static_cast<T>(std::copysign(0.0, n));
    }
  });
  return t;
}

// Nothing where both have the same bits, or else where the first others are.
std::string difference(const std::vector<Tensor>& a, const std::vector<Tensor>& b, bool exactly) {
  if (a.size() != b.size()) return "another number of values";
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Tensor x = exactly ? a[i] : as_compared(a[i]), y = exactly ? b[i] : as_compared(b[i]);
    if (same_bits(x, y)) continue;
    if (x.type() != y.type()) return "value " + std::to_string(i) + " has another type";
    std::int64_t at = 0;
    const std::int64_t size = size_of(x.dtype());
    while (std::memcmp(x.bytes() + at * size, y.bytes() + at * size, static_cast<std::size_t>(size)) == 0) ++at;
    return "element " + std::to_string(at) + " of value " + std::to_string(i) + ", " + to_string(x.type()) + ": " +
           dispatch(x.dtype(), [&]<class T>(std::type_identity<T>) {
             const auto text = [&](const Tensor& t) {
               return oxbow::internal::short_number(static_cast<double>(t.span<T>()[static_cast<std::size_t>(at)]));
             };
             return text(x) + " and " + text(y);
           });
  }
  return "";
}

// What is fetched, differentiated and run, and how.
struct Wanted {
  std::vector<Value> fetches;
  Tensors feeds;
  Mode mode = Mode::training;
  bool resized = false;  // fed in other sizes than the example's, at which the graph need not be sound
  std::vector<std::string> disable;
};

Wanted choose(Calls& c) {
  Wanted w;
  if (c.values().empty()) return w;
  for (int n = 1 + c.below(4); n > 0; --n)
    if (const Value v = c.operand(); v && &v.graph() == &c.graph()) w.fetches.push_back(v);
  if (c.below(4) != 0) {
    try {
      const Value y = c.operand();
      const std::vector<Value> x = c.operands();
      for (const Value& slope : gradients(sum(square(y)), x)) w.fetches.push_back(slope);
    } catch (const Error&) {  // not every op has a gradient
    }
  }
  if (c.flag())
    for (const Value& update : c.graph().updates()) w.fetches.push_back(update);
  if (c.below(4) == 0) w.mode = Mode::inference;
  if (const int pass = c.below(12);
      pass < static_cast<int>(passes().size()) && passes()[static_cast<std::size_t>(pass)].optional)
    w.disable.emplace_back(passes()[static_cast<std::size_t>(pass)].name);
  return w;
}

void feed(Wanted& w, const Program& program, Calls& c) {
  for (const ops::Input& in : program.inputs()) {
    Type type = in.type;
    for (int axis = 0; axis < type.shape.rank(); ++axis)
      if (in.is_free(axis) && c.flag()) type.shape = type.shape.with(axis, c.below(5)), w.resized = true;
    w.feeds.emplace(in.name, c.tensor(type));
  }
}

struct Ran {
  std::string error;
  std::vector<Tensor> values, variables;
};

// Empty where it takes more memory than a test should.
std::optional<Ran> run(const Wanted& w, const Program& program, const Graph& g) {
  std::vector<Shape> shapes;
  for (const ops::Input& in : program.inputs()) shapes.push_back(w.feeds.at(in.name).shape());
  Ran ran;
  Store store(g);
  try {
    const std::shared_ptr<const Plan> plan = program.impl().plan(shapes);
    if (plan->arena_bytes > most_arena || plan->scratch_bytes > most_arena) return {};
    ran.values = program.run(store, w.feeds);
  } catch (const Error& e) {
    ran.error = e.what();
  }
  for (const std::string& name : store.names()) ran.variables.push_back(store.get(name));
  if (!ran.error.empty()) {
    const Store fresh(g);
    for (std::size_t i = 0; i < ran.variables.size(); ++i)
      if (!same_bits(ran.variables[i], fresh.get(store.names()[i])))
        throw Failure{"a failed run changed " + store.names()[i] + ": " + ran.error};
  }
  return ran;
}

bool small(const Graph& g) {
  if (unrolled_size(g) > most_nodes) return false;
  std::int64_t bytes = 0;  // of what is fed and stored
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node n = g.node(id);
    if (!n.op().is<ops::Input>() && !n.op().is<ops::Variable>()) continue;
    if (n.output().type().bytes() > most_arena) return false;
    bytes += n.output().type().bytes();
  }
  return bytes <= most_arena;
}

void check_runs(Wanted w, Calls& c) {
  static const Pool pools[] = {Pool(1), Pool(2)};
  const Graph& g = c.graph();
  std::optional<Ran> ran[2];
  for (int i = 0; i < 2; ++i) {
    std::optional<Program> program;
    try {
      program = Program::Impl::compile(w.fetches, {.mode = w.mode, .pool = pools[i], .disable = w.disable}, fine_grain);
    } catch (const Error& e) {
      if (i == 1) throw Failure{std::string("only 2 threads refuse to compile: ") + e.what()};
      return;
    }
    if (i == 0) feed(w, *program, c);
    if (i == 1 && c.flag()) check_plan(*program);
    ran[i] = run(w, *program, g);
    if (!ran[i]) return;
  }
  const Ran &one = *ran[0], &two = *ran[1];
  if (one.error.empty() != two.error.empty())
    throw Failure{"only on " + std::string(one.error.empty() ? "2 threads" : "1 thread") + ": " + one.error +
                  two.error};
  if (const std::string d = difference(one.values, two.values, true); !d.empty())
    throw Failure{"other bits on 2 threads: " + d};
  if (const std::string d = difference(one.variables, two.variables, true); !d.empty())
    throw Failure{"other variables on 2 threads: " + d};
  std::vector<Tensor> meant;
  try {
    meant = interpret(w.fetches, w.feeds, {}, w.mode);
  } catch (const Error&) {  // what nobody needs may be left out of a plan, with its faults
    return;
  }
  if (!one.error.empty() && w.resized) return;
  if (!one.error.empty()) throw Failure{"the interpreter runs what the plan refuses: " + one.error};
  if (const std::string d = difference(one.values, meant, false); !d.empty())
    throw Failure{"other bits than the interpreter's: " + d};
}

}  // namespace

std::string run_hostile_program(std::string_view bytes) {
  const std::string_view about_runs = bytes.substr(0, 16);
  Calls c(bytes.substr(about_runs.size()));
  try {
    c.make_all();
    verify(c.graph());
    check_text(c.graph());
    c.go_on_with(about_runs);
    const Wanted wanted = choose(c);
    verify(c.graph());
    if (!wanted.fetches.empty() && small(c.graph())) check_runs(wanted, c);
    return "";
  } catch (const Failure& f) {
    return f.what + "\n" + print(c.graph());
  } catch (const std::exception& e) {
    return std::string("an exception that is no Error: ") + e.what() + "\n" + print(c.graph());
  }
}

}  // namespace oxbow::test
