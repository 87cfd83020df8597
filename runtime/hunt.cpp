#include <oxbow/graph/evaluate.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/needed.h>
#include <oxbow/graph/rewrite.h>
#include <oxbow/graph/text.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/finite.h>
#include <oxbow/runtime/hunt.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace oxbow {
namespace {

/// What a value holds.
struct Mark {
  bool bad = false;    // a NaN or Inf
  bool nan = false;    // a NaN
  bool meant = false;  // infinities, all of them built on purpose
};

/// The marks of all values, and of each node whether it made something bad out of inputs that were well.
struct Marks {
  explicit Marks(const Graph& g) : maker(static_cast<std::size_t>(g.size())) {
    for (NodeId id = 0; id < g.size(); ++id) {
      first.push_back(list.size());
      list.resize(list.size() + static_cast<std::size_t>(g.node(id).output_count()));
    }
  }
  Mark& of(Value v) {
    return list[first[static_cast<std::size_t>(v.node_id())] + static_cast<std::size_t>(v.output())];
  }
  const Mark& of(Value v) const { return const_cast<Marks*>(this)->of(v); }

  std::vector<std::size_t> first;
  std::vector<Mark> list;
  std::vector<bool> maker;
};

using Outputs = std::vector<Tensor>;

Outputs compute(const Rerun& run, Node n, const std::vector<Outputs>& values) {
  if (n.op().is<Input>() || n.op().is<Variable>()) return {run.leaf(n)};
  if (const auto* c = n.op().as<Constant>()) return {c->value};
  std::vector<Tensor> in;
  for (int i = 0; i < n.input_count(); ++i) {
    const Value v = n.input(i);
    in.push_back(values[static_cast<std::size_t>(v.node_id())][static_cast<std::size_t>(v.output())]);
  }
  try {
    return evaluate(n.op(), in);
  } catch (const OpError& e) {
    throw located(n, e);
  }
}

// Computes all nodes that `needed` marks, in order, and shows each with its outputs; values are forgotten after their
// last reader.
template <class See>
void compute_all(const Rerun& run, const std::vector<bool>& needed, See&& see) {
  const Graph& g = *run.graph;
  std::vector<std::int32_t> readers(static_cast<std::size_t>(g.size()));
  for (NodeId id = 0; id < g.size(); ++id)
    if (needed[static_cast<std::size_t>(id)])
      for (const Value& v : g.node(id).inputs()) ++readers[static_cast<std::size_t>(v.node_id())];
  std::vector<Outputs> values(static_cast<std::size_t>(g.size()));
  for (NodeId id = 0; id < g.size(); ++id) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    const Node n = g.node(id);
    values[static_cast<std::size_t>(id)] = compute(run, n, values);
    see(n, values);
    for (const Value& v : n.inputs())
      if (--readers[static_cast<std::size_t>(v.node_id())] == 0) values[static_cast<std::size_t>(v.node_id())].clear();
    if (readers[static_cast<std::size_t>(id)] == 0) values[static_cast<std::size_t>(id)].clear();
  }
}

bool infinite_first_value(const Variable& v) { return v.init.kind == "constant" && std::isinf(v.init.a); }

bool reads(Node n, int input) { return !n.op().info().shape_only.contains(input); }

void mark(Node n, const Outputs& outputs, Marks& marks) {
  bool any_bad = false, from_bad = false, from_meant = false;
  for (int i = 0; i < n.input_count(); ++i) {
    const Mark& in = marks.of(n.input(i));
    if (!in.bad || !reads(n, i)) continue;
    (in.meant ? from_meant : from_bad) = true;
  }
  if (n.op().is<Constant>()) from_meant = true;
  if (const auto* v = n.op().as<Variable>()) from_meant = infinite_first_value(*v);
  for (int k = 0; k < n.output_count(); ++k) {
    const Tensor& t = outputs[static_cast<std::size_t>(k)];
    if (all_finite(t.type(), t.bytes())) continue;
    Mark& m = marks.of(n.output(k));
    m = {.bad = true, .nan = !no_nan(t.type(), t.bytes())};
    m.meant = !m.nan && from_meant && !from_bad;
    any_bad = any_bad || !m.meant;
  }
  marks.maker[static_cast<std::size_t>(n.id())] = any_bad && !from_bad;
}

// Whatever a bad result depends on: an Inf may turn into a zero, and that into a NaN.
std::vector<bool> behind_bad_results(const Graph& g, const Marks& marks) {
  std::vector<bool> behind(static_cast<std::size_t>(g.size()));
  for (const auto& [name, v] : g.outputs())
    if (marks.of(v).bad && !marks.of(v).meant) behind[static_cast<std::size_t>(v.node_id())] = true;
  for (NodeId id = g.size(); id-- > 0;) {
    if (!behind[static_cast<std::size_t>(id)]) continue;
    const Node n = g.node(id);
    for (int i = 0; i < n.input_count(); ++i)
      if (reads(n, i)) behind[static_cast<std::size_t>(n.input(i).node_id())] = true;
  }
  return behind;
}

Marks mark_all(const Rerun& run, const std::vector<bool>& live) {
  Marks marks(*run.graph);
  compute_all(run, live, [&](Node n, const std::vector<Outputs>& values) {
    mark(n, values[static_cast<std::size_t>(n.id())], marks);
  });
  return marks;
}

/// The node by itself, and what it was given.
struct Scene {
  Graph graph;
  Safetensors inputs;
  Outputs outputs;
};

void set_scene(const Rerun& run, Node n, const std::vector<Outputs>& values, Scene& scene) {
  std::vector<Value> in;
  const auto add = [&](NodeId id, int output, const Tensor& t) {
    const std::string name = run.name(id) + (output > 0 ? "." + std::to_string(output) : "");
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
  for (const Value& v : n.inputs())
    add(v.node_id(), v.output(), values[static_cast<std::size_t>(v.node_id())][static_cast<std::size_t>(v.output())]);
  const Node copy = scene.graph.append(n.op(), in, n.origin().at);
  for (int k = 0; k < copy.output_count(); ++k)
    scene.graph.add_output(run.name(n.id()) + (k > 0 ? "." + std::to_string(k) : ""), copy.output(k));
}

std::string input_name(const OpInfo& info, int i) {
  if (info.variadic) return std::string(info.inputs[0]) + "[" + std::to_string(i) + "]";
  return std::string(info.inputs[static_cast<std::size_t>(i)]);
}

// Whether element i of the output is made of the elements i of all inputs, as far as shapes tell.
bool same_place(const Tensor& in, const Tensor& out) { return in.shape() == out.shape(); }

std::string inputs_text(const Rerun& run, Node n, const Scene& scene, const Tensor& bad, std::int64_t element) {
  std::string text;
  for (int i = 0; i < n.input_count(); ++i) {
    const Value v = n.input(i);
    const std::string name = run.name(v.node_id()) + (v.output() > 0 ? "." + std::to_string(v.output()) : "");
    const auto& t = std::find_if(scene.inputs.tensors.begin(), scene.inputs.tensors.end(), [&](const auto& known) {
                      return known.first == name;
                    })->second;
    text += "\n  input " + input_name(n.op().info(), i) + ": " + name + ", " + to_string(t.type());
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

// Whether the user gave a result this name; otherwise it is a number.
bool known(const std::string& name) { return name.find_first_not_of("0123456789_") != std::string::npos; }

// The results that the fault reached, and the way to the nearest.
std::string reached_text(const Rerun& run, Node n, const Marks& marks) {
  const Graph& g = *run.graph;
  std::vector<NodeId> from(static_cast<std::size_t>(g.size()), -1);
  from[static_cast<std::size_t>(n.id())] = n.id();
  for (NodeId id = n.id() + 1; id < g.size(); ++id) {
    const Node m = g.node(id);
    for (int i = 0; i < m.input_count(); ++i) {
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
    first = v.node().op().is<Assign>() ? "variable \"" + run.name(v.node().input(0).node_id()) + "\""
                                       : "result \"" + (known(name) ? name : run.name(v.node_id())) + "\"";
    int steps = 0;
    for (NodeId id = v.node_id(); id != n.id(); id = from[static_cast<std::size_t>(id)])
      if (id != v.node_id() && ++steps <= 6) way = run.name(id) + (way.empty() ? "" : ", ") + way;
    if (steps > 6) way = "..., " + way;
  }
  if (results == 0) return "\n  it reached no result";
  return "\n  it reached " + first + (results > 1 ? " and " + std::to_string(results - 1) + " more" : "") +
         (way.empty() ? "" : " through " + way);
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
  std::string text = (leaf ? found.op + " \"" + found.node + "\" holds " : found.node + " made ") + kind +
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

}  // namespace

Hunted hunt(const Rerun& run, const Numerics& options, bool everywhere, const std::vector<bool>& usual) {
  const Graph& g = *run.graph;
  const std::vector<bool> live = live_nodes(g);
  const Marks marks = mark_all(run, live);
  Hunted out;
  for (const auto& [name, v] : g.outputs()) {
    out.results.push_back(marks.of(v).bad);
    out.bad = out.bad || out.results.back();
  }
  const std::vector<bool> suspects = everywhere ? live : behind_bad_results(g, marks);
  std::vector<NodeId> culprits;
  for (NodeId id = 0; id < g.size(); ++id) {
    const auto i = static_cast<std::size_t>(id);
    if (suspects[i] && marks.maker[i] && (usual.empty() || !usual[i])) culprits.push_back(id);
  }
  if (culprits.empty()) return out;

  Scene scene;
  compute_all(run, needed(g, {g.node(culprits[0]).output()}), [&](Node n, const std::vector<Outputs>& values) {
    if (n.id() == culprits[0]) set_scene(run, n, values, scene);
  });
  out.found = report(run, culprits, scene, marks, options);
  return out;
}

std::vector<bool> makers(const Rerun& run) { return mark_all(run, live_nodes(*run.graph)).maker; }

}  // namespace oxbow
