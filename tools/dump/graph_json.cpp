#include "dump/graph_json.h"

#include <oxbow/graph/op.h>

#include <cmath>

#include "dump/json_text.h"

namespace oxbow::tools {
namespace {

constexpr std::int64_t most_elements = 64;  // of a tensor that is shown whole

// JSON knows no infinity and no NaN: they become their names.
JsonText number(double v) { return std::isfinite(v) ? JsonText(v) : JsonText(print(AttrValue(v))); }

JsonObject json_of(const Graph& graph, bool in_lines);

JsonText json_of(const AttrValue& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b;
  if (const auto* i = std::get_if<std::int64_t>(&value)) return *i;
  if (const auto* d = std::get_if<double>(&value)) return number(*d);
  if (const auto* s = std::get_if<std::string>(&value)) return *s;
  if (const auto* tensor = std::get_if<Tensor>(&value))
    return tensor->type().stored() > most_elements ? "tensor " + to_string(tensor->type()) : print(value);
  if (const auto* list = std::get_if<AttrList>(&value)) {
    JsonList out;
    for (const AttrValue& e : *list) out.add(json_of(e));
    return out;
  }
  if (const auto* record = std::get_if<AttrRecord>(&value)) {
    JsonObject out;
    for (const auto& [key, field] : *record) out.add(key, json_of(field));
    return out;
  }
  if (const auto* graph = std::get_if<std::shared_ptr<const Graph>>(&value)) return json_of(**graph, false);
  return print(value);  // dtypes and types
}

JsonObject reference(const Value& v) { return {{"node", v.node_id()}, {"output", v.output()}}; }

JsonObject json_of(const Type& t) {
  JsonObject out{{"type", to_string(t)}, {"dtype", name(t.dtype)}, {"shape", t.shape.vector()}};
  if (!t.layout.plain()) out.add("panel", t.layout.panel);
  out.add("bytes", t.bytes());
  return out;
}

JsonObject json_of(Node n) {
  const Origin& origin = n.origin();
  JsonObject out{{"id", n.id()},
                 {"op", n.op().name()},
                 {"name", n.name()},
                 {"full_name", n.full_name()},
                 {"phase", name(origin.phase)},
                 {"scope", origin.scope.str()}};
  if (origin.forward >= 0) out.add("for", origin.forward);
  if (origin.at.known()) out.add("at", JsonObject{{"file", origin.at.file}, {"line", origin.at.line}});
  JsonList inputs, outputs;
  for (int i = 0; i < n.input_count(); ++i) {
    if (!n.input(i)) {
      inputs.add(nullptr);
      continue;
    }
    JsonObject input = reference(n.input(i));
    if (!n.op().info().reads(i)) input.add("shape_only", true);
    inputs.add(std::move(input));
  }
  for (const Type& t : n.output_types()) outputs.add(json_of(t));
  out.add("inputs", std::move(inputs));
  out.add("attributes", json_of(AttrValue(n.op().attributes())));
  out.add("outputs", std::move(outputs));
  return out;
}

// A line for each field of the graph and of the plan, and for each item of their lists, so that two files compare well.
JsonObject json_of(const Graph& graph, bool in_lines) {
  JsonObject out = in_lines ? JsonObject::in_lines(1) : JsonObject();
  out.add("schema", "oxbow.graph");
  out.add("version", json_version);
  out.add("seed", graph.seed());
  out.add("next_stream", graph.peek_stream());
  JsonList nodes(in_lines), outputs(in_lines), updates(in_lines);
  for (NodeId i = 0; i < graph.size(); ++i) nodes.add(json_of(graph.node(i)));
  for (const auto& [name, value] : graph.outputs()) {
    JsonObject output = reference(value);
    output.add("name", name);
    outputs.add(std::move(output));
  }
  for (const Value& value : graph.updates()) updates.add(reference(value));
  out.add("nodes", std::move(nodes));
  out.add("outputs", std::move(outputs));
  out.add("updates", std::move(updates));
  return out;
}

void add_known(JsonObject& out, const char* key, std::int64_t v) {
  if (v >= 0) out.add(key, v);
}

JsonObject json_of(const Ledger::Value& v) {
  JsonObject out{{"node", v.node}, {"output", v.output}, {"fate", name(v.fate)}, {"saved", v.saved}, {"home", v.home}};
  if (!v.name.empty()) out.add("name", v.name);
  add_known(out, "offset", v.offset);
  out.add("bytes", v.bytes);
  add_known(out, "block", v.block);
  add_known(out, "first", v.first);
  add_known(out, "last", v.last);
  out.add("readers", v.readers);
  add_known(out, "alias_of", v.alias_of);
  add_known(out, "overwrites", v.overwrites);
  add_known(out, "overwritten_by", v.overwritten_by);
  return out;
}

JsonList json_of(const std::vector<Ledger::Step>& steps) {
  JsonList out = JsonList::in_lines();
  for (const Ledger::Step& step : steps) {
    JsonObject item{{"node", step.node},       {"group", step.group},       {"parts", step.parts},
                    {"commits", step.commits}, {"critical", step.critical}, {"cost_ns", number(step.cost_ns)}};
    if (step.measured_ns >= 0) item.add("measured_ns", number(step.measured_ns));
    if (step.measured_critical) item.add("measured_critical", true);
    out.add(std::move(item));
  }
  return out;
}

JsonList json_of(const std::vector<Ledger::Group>& groups) {
  JsonList out = JsonList::in_lines();
  for (const Ledger::Group& group : groups) {
    JsonList shares;
    for (const auto& share : group.shares)
      shares.add(JsonObject{
          {"lane", share.lane}, {"start_ns", number(share.start_ns)}, {"finish_ns", number(share.finish_ns)}});
    out.add(
        JsonObject{{"first", group.first}, {"last", group.last}, {"waits_for", group.waits_for}, {"shares", shares}});
  }
  return out;
}

JsonList json_of(const std::vector<Ledger::Block>& blocks) {
  JsonList out = JsonList::in_lines();
  for (const Ledger::Block& b : blocks)
    out.add(JsonObject{{"offset", b.offset},
                       {"bytes", b.bytes},
                       {"first", b.first},
                       {"last", b.last},
                       {"kept", b.kept},
                       {"values", b.values}});
  return out;
}

JsonObject json_of(const Ledger& plan) {
  JsonObject out = JsonObject::in_lines(2, {{"threads", plan.threads},
                                            {"arena_bytes", plan.arena_bytes},
                                            {"lower_bound", plan.lower_bound},
                                            {"gap", plan.gap()},
                                            {"live_bytes", plan.live_bytes},
                                            {"peak_step", plan.peak_step},
                                            {"live", plan.live},
                                            {"scratch_bytes", plan.scratch_bytes},
                                            {"cost_ns", number(plan.cost_ns)},
                                            {"critical_ns", number(plan.critical_ns)},
                                            {"critical_path", plan.critical_path}});
  JsonList values = JsonList::in_lines();
  for (const Ledger::Value& v : plan.values) values.add(json_of(v));
  out.add("steps", json_of(plan.steps));
  out.add("groups", json_of(plan.groups));
  out.add("values", std::move(values));
  out.add("blocks", json_of(plan.blocks));
  if (plan.run.empty()) return out;
  out.add("run_ns", number(plan.run_ns));
  if (plan.measured()) {
    out.add("measured_critical_ns", number(plan.measured_critical_ns));
    out.add("measured_critical_path", plan.measured_critical_path);
  }
  JsonList run = JsonList::in_lines();
  for (const Ledger::Event& e : plan.run)
    run.add(
        JsonObject{{"step", e.step}, {"lane", e.lane}, {"begin_ns", number(e.begin_ns)}, {"end_ns", number(e.end_ns)}});
  out.add("run", std::move(run));
  return out;
}

}  // namespace

std::string graph_json(const Graph& graph) { return json_of(graph, true).finish() + "\n"; }

std::string plan_json(const Ledger& plan) {
  JsonObject out = json_of(*plan.graph, true);
  out.add("plan", json_of(plan));
  return std::move(out).finish() + "\n";
}

}  // namespace oxbow::tools
