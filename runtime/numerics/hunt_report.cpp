#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/text.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/numerics/finite.h>
#include <oxbow/runtime/numerics/hunt_report.h>

#include <algorithm>
#include <filesystem>

namespace oxbow::internal {
namespace {

// As the user knows it: "dense/matmul_3", or "lstm_1.2" for output 2.
std::string value_name(const Rerun& run, NodeId node, int output) {
  return run.name(node) + (output > 0 ? "." + std::to_string(output) : "");
}

// Whether element i of the output is made of the elements i of all inputs, as far as shapes tell.
bool same_place(const Tensor& in, const Tensor& out) { return in.shape() == out.shape(); }

std::string inputs_text(const Rerun& run, Node n, const Scene& scene, const Tensor& bad, std::int64_t element) {
  std::string text;
  for (int i = 0; i < n.input_count(); ++i) {
    const Value v = n.input(i);
    if (!v) continue;
    const std::string name = value_name(run, v.node_id(), v.output());
    const auto& t = std::find_if(scene.inputs.tensors.begin(), scene.inputs.tensors.end(), [&](const auto& known) {
                      return known.first == name;
                    })->second;
    text += "\n  input " + n.op().info().inputs.of(i) + ": " + name + ", " + to_string(t.type());
    if (!reads(n, i)) {
      text += ", read for its shape only";
      continue;
    }
    text += ", " + to_string(census(t));
    if (t.count() > 1 && same_place(t, bad)) text += ", there " + element_text(t, element);
  }
  return text;
}

std::string write_repro(const Scene& scene, const std::string& folder, const std::string& headline) {
  const std::filesystem::path path(folder);
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed) return "the folder " + folder + " cannot be made: " + failed.message();
  try {
    write_file(path / "graph.txt", "// " + headline + "\n" + print(scene.graph, {.locations = true}));
    save_safetensors(path / "inputs.safetensors", scene.inputs);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

// Whether the user gave a result this name: `specialise` numbers the others.
bool is_given(const std::string& name) { return name.find_first_not_of("0123456789_") != std::string::npos; }

// The results that the fault reached, and the way to the nearest.
std::string reached_text(const Rerun& run, Node n, const Marks& marks) {
  const Graph& g = *run.graph;
  std::vector<NodeId> from(static_cast<std::size_t>(g.size()), -1);
  from[static_cast<std::size_t>(n.id())] = n.id();
  for (NodeId id = n.id() + 1; id < g.size(); ++id) {
    const Node m = g.node(id);
    for (int i = 0; i < m.input_count(); ++i) {
      if (!m.input(i)) continue;
      const NodeId p = m.input(i).node_id();
      if (from[static_cast<std::size_t>(p)] >= 0 && reads(m, i) && marks.of(m.input(i)).bad)
        from[static_cast<std::size_t>(id)] = p;
    }
  }
  int results = 0;
  std::string first, way;
  for (const auto& [name, v] : g.outputs()) {
    if (!marks.of(v).bad || from[static_cast<std::size_t>(v.node_id())] < 0) continue;
    if (results++ > 0) continue;
    first = v.node().op().is<ops::Assign>() ? "variable " + in_quotes(run.name(v.node().input(0).node_id()))
                                            : "result " + in_quotes(is_given(name) ? name : run.name(v.node_id()));
    int steps = 0;
    for (NodeId id = v.node_id(); id != n.id(); id = from[static_cast<std::size_t>(id)])
      if (id != v.node_id() && ++steps <= 6) way = run.name(id) + (way.empty() ? "" : ", ") + way;
    if (steps > 6) way = "..., " + way;
  }
  if (results == 0) return "\n  it reached no result";
  return "\n  it reached " + first + (results > 1 ? " and " + std::to_string(results - 1) + " more" : "") +
         (way.empty() ? "" : " through " + way);
}

}  // namespace

void set_scene(const Rerun& run, Node n, const std::vector<Outputs>& values, Scene& scene) {
  std::vector<Value> in;
  const auto add = [&](NodeId id, int output, const Tensor& t) {
    const std::string name = value_name(run, id, output);
    if (const auto known = scene.graph.find(name)) {
      in.push_back(known->output());
      return;
    }
    const std::vector<Dim> dims(t.shape().begin(), t.shape().end());
    const std::size_t slash = name.rfind('/');
    std::optional<Scope> scope;
    if (slash != std::string::npos) scope.emplace(scene.graph, name.substr(0, slash));
    in.push_back(input(scene.graph, slash == std::string::npos ? name : name.substr(slash + 1), t.dtype(), dims, {}));
    scene.inputs.tensors.emplace_back(name, t);
  };
  scene.outputs = values[static_cast<std::size_t>(n.id())];
  if (n.input_count() == 0) {
    add(n.id(), 0, scene.outputs[0]);
    scene.graph.add_output(run.name(n.id()), in[0]);
    return;
  }
  for (int i = 0; i < n.input_count(); ++i) {
    const Value v = n.input(i);
    if (v && n.op().info().by_value.contains(i))
      in.push_back(
          constant(scene.graph, values[static_cast<std::size_t>(v.node_id())][static_cast<std::size_t>(v.output())]));
    else if (v)
      add(v.node_id(), v.output(), values[static_cast<std::size_t>(v.node_id())][static_cast<std::size_t>(v.output())]);
    else
      in.emplace_back();
  }
  const Node copy = scene.graph.append(n.op(), in, n.origin().at);
  for (int k = 0; k < copy.output_count(); ++k) scene.graph.add_output(value_name(run, n.id(), k), copy.output(k));
}

NumericsError report(const Rerun& run, const std::vector<NodeId>& culprits, const Scene& scene, const Marks& marks,
                     const Numerics& options) {
  const Node n = run.graph->node(culprits[0]);
  const auto bad = std::find_if(scene.outputs.begin(), scene.outputs.end(),
                                [](const Tensor& t) { return !all_finite(t.type(), t.bytes()); });
  const Census count = census(*bad);
  const std::string kind = count.nans == 0 ? "an Inf" : "a NaN", at = position(bad->shape(), count.first_bad);
  NumericsError::Found found{.node = run.name(n.id()),
                             .op = std::string(n.op().name()),
                             .phase = n.origin().phase,
                             .at = n.origin().at,
                             .run = run.number,
                             .element = at};
  const bool leaf = n.input_count() == 0;
  std::string text = (leaf ? found.op + " " + in_quotes(found.node) + " holds " : found.node + " made ") + kind +
                     (at.empty() ? "" : " at " + at) + ", in run " + std::to_string(run.number);
  const std::string headline = text;
  text += "\n  it is " + to_string(bad->type()) + ", " + to_string(count);
  if (n.origin().phase == Phase::backward && n.origin().forward >= 0)
    text += "\n  it belongs to the gradient of " + run.name(n.origin().forward);
  else if (n.origin().phase == Phase::update)
    text += "\n  it belongs to the optimizer's update";
  if (n.origin().at.known()) text += "\n  built at " + to_string(n.origin().at);
  text += inputs_text(run, n, scene, *bad, count.first_bad) + reached_text(run, n, marks);
  for (std::size_t i = 1; i < culprits.size() && i <= 3; ++i)
    text += (i == 1 ? "\n  later, of finite numbers, so did " : ", ") + run.name(culprits[i]);
  if (!options.repro.empty()) {
    const std::string problem = write_repro(scene, options.repro, headline);
    if (problem.empty()) {
      found.repro = options.repro;
      text += "\n  Repeat it with: oxbow run " + options.repro;
    } else {
      text += "\n  What repeats it could not be written: " + problem;
    }
  }
  return {std::move(found), text};
}

}  // namespace oxbow::internal
