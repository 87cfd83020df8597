#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/runtime/run/program_impl.h>

#include <algorithm>

namespace oxbow {
using namespace internal;

namespace {

void check_written_once(const Graph& graph) {
  std::vector<bool> written(static_cast<std::size_t>(graph.size()));
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node n = graph.node(id);
    if (!n.op().is<ops::Assign>()) continue;
    const Node variable = n.input(0).node();
    if (written[static_cast<std::size_t>(variable.id())])
      throw Error("variable " + in_quotes(variable.full_name()) + " is written twice in one run" +
                  at_line(n.origin().at) + "\n  Leave one of the two assigns out of what is fetched");
    written[static_cast<std::size_t>(variable.id())] = true;
  }
}

}  // namespace

Program compile(Values fetches, CompileOptions options) {
  return while_memory_lasts("compiling", [&] { return Program::Impl::compile(fetches, std::move(options), {}); });
}

Program Program::Impl::compile(Values fetches, CompileOptions options, const Grain& grain) {
  if (fetches.empty()) throw Error("compile: nothing is fetched\n  Name at least one value to compute");
  for (const Value& v : fetches)
    if (!v) throw Error("compile: a fetched Value is empty\n  Build it first");
  auto impl = std::make_shared<Program::Impl>();
  impl->graph = specialise(fetches[0].graph(), fetches, {}, options.mode);
  if (options.cached_shapes < 1)
    throw Error("compile: cached_shapes is " + std::to_string(options.cached_shapes) +
                "\n  Keep at least 1 set of shapes ready");
  if (options.memory_budget.value_or(0) < 0)
    throw Error("compile: memory_budget is " + std::to_string(*options.memory_budget) +
                "\n  Give a number of bytes, or none at all");
  impl->options = std::move(options);
  impl->grain = grain;
  const Graph& graph = *impl->graph.graph;
  check_written_once(graph);
  for (NodeId id = 0; id < graph.size(); ++id)
    if (const auto* in = graph.node(id).op().as<ops::Input>()) {
      impl->inputs.push_back(*in);
      impl->declared.push_back(graph.node(id).origin().at);
    }
  for (const auto& [name, value] : graph.outputs()) {
    impl->output_names.push_back(name);
    impl->outputs.push_back(value.type());
  }
  std::vector<Shape> examples;
  for (const ops::Input& in : impl->inputs) examples.push_back(in.type.shape);
  impl->plan(examples);
  Program program;
  program.impl_ = std::move(impl);
  return program;
}

std::shared_ptr<const Plan> Program::Impl::plan(std::span<const Shape> shapes) const {
  const std::lock_guard guard(mutex_);
  const auto known = std::find_if(plans_.begin(), plans_.end(), [&](const Cached& c) {
    return std::equal(c.shapes.begin(), c.shapes.end(), shapes.begin(), shapes.end());
  });
  if (known != plans_.end()) {
    std::rotate(known, known + 1, plans_.end());
    return plans_.back().plan;
  }
  std::map<std::string, Shape> named;
  for (std::size_t i = 0; i < shapes.size(); ++i)
    if (shapes[i] != inputs[i].type.shape) named.emplace(inputs[i].name, shapes[i]);
  std::shared_ptr<const Graph> sized = graph.graph;
  if (!named.empty()) {
    std::vector<Value> fetches;
    for (const auto& [name, value] : graph.graph->outputs()) fetches.push_back(value);
    sized = specialise(*graph.graph, fetches, named, options.mode).graph;
  }
  const int threads = options.pool.threads();
  const RewriteOptions how{.context = {.mode = options.mode, .threads = threads}, .disable = options.disable};
  auto plan = make_plan(rewrite(*sized, how).graph, threads, grain, options.memory_budget);
  if (plans_.size() == static_cast<std::size_t>(options.cached_shapes)) plans_.erase(plans_.begin());
  plans_.push_back({{shapes.begin(), shapes.end()}, plan});
  return plan;
}

int Program::Impl::input(std::string_view name) const {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].name == name) return static_cast<int>(i);
  std::vector<std::string> known;
  for (const ops::Input& in : inputs) known.push_back(in.name);
  throw Error("no input " + in_quotes(name) + " in this program." + did_you_mean(name, known) +
              (known.empty() ? "\n  It has no inputs" : "\n  Its inputs: " + quoted(known)));
}

const std::vector<ops::Input>& Program::inputs() const { return impl_->inputs; }
const std::vector<Type>& Program::outputs() const { return impl_->outputs; }
const std::vector<std::string>& Program::output_names() const { return impl_->output_names; }

// Where results go is there before the run: nothing can fail behind it, when variables are written.
std::vector<Tensor> Program::run(Store& store, const std::map<std::string, Tensor>& feeds) const {
  return while_memory_lasts("running", [&] {
    Session session(*this, store);
    std::vector<Shape> shapes;
    for (const auto& [name, tensor] : feeds) session.feed(name, tensor);
    for (const ops::Input& in : inputs())
      if (const auto fed = feeds.find(in.name); fed != feeds.end()) shapes.push_back(fed->second.shape());
    std::vector<Tensor> results;
    if (shapes.size() == inputs().size())  // or else the run says what is missing
      for (const Plan::Fetch& f : impl_->plan(shapes)->fetches) results.emplace_back(f.type);
    for (std::size_t i = 0; i < results.size(); ++i)
      dispatch(results[i].dtype(), [&]<class T>(std::type_identity<T>) {
        session.fetch_into<T>(static_cast<int>(i), results[i].span<T>());
      });
    session.run();
    return results;
  });
}

}  // namespace oxbow
