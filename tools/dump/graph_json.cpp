#include "dump/graph_json.h"

#include <oxbow/graph/op.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace oxbow::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t most_elements = 64;  // of a tensor that is shown whole

// JSON knows no infinity and no NaN: they become their names.
Json number(double v) { return std::isfinite(v) ? Json(v) : Json(print(AttrValue(v))); }

Json json_of(const Graph& graph);

Json json_of(const AttrValue& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b;
  if (const auto* i = std::get_if<std::int64_t>(&value)) return *i;
  if (const auto* d = std::get_if<double>(&value)) return number(*d);
  if (const auto* s = std::get_if<std::string>(&value)) return *s;
  if (const auto* tensor = std::get_if<Tensor>(&value))
    return tensor->type().stored() > most_elements ? "tensor " + to_string(tensor->type()) : print(value);
  if (const auto* list = std::get_if<AttrList>(&value)) {
    Json out = Json::array();
    for (const AttrValue& e : *list) out.push_back(json_of(e));
    return out;
  }
  if (const auto* record = std::get_if<AttrRecord>(&value)) {
    Json out = Json::object();
    for (const auto& [key, field] : *record) out[key] = json_of(field);
    return out;
  }
  if (const auto* graph = std::get_if<std::shared_ptr<const Graph>>(&value)) return json_of(**graph);
  return print(value);  // dtypes and types
}

Json reference(const Value& v) { return {{"node", v.node_id()}, {"output", v.output()}}; }

Json json_of(const Type& t) {
  Json out{{"type", to_string(t)}, {"dtype", name(t.dtype)}, {"shape", t.shape.vector()}};
  if (!t.layout.plain()) out["panel"] = t.layout.panel;
  out["bytes"] = t.bytes();
  return out;
}

Json json_of(Node n) {
  const Origin& origin = n.origin();
  Json out{{"id", n.id()},
           {"op", n.op().name()},
           {"name", n.name()},
           {"full_name", n.full_name()},
           {"phase", name(origin.phase)},
           {"scope", origin.scope.str()}};
  if (origin.forward >= 0) out["for"] = origin.forward;
  if (origin.at.known()) out["at"] = {{"file", origin.at.file}, {"line", origin.at.line}};
  Json& inputs = out["inputs"] = Json::array();
  for (int i = 0; i < n.input_count(); ++i) {
    inputs.push_back(n.input(i) ? reference(n.input(i)) : Json());
    if (n.input(i) && !n.op().info().reads(i)) inputs.back()["shape_only"] = true;
  }
  out["attributes"] = json_of(AttrValue(n.op().attributes()));
  Json& outputs = out["outputs"] = Json::array();
  for (const Type& t : n.output_types()) outputs.push_back(json_of(t));
  return out;
}

Json json_of(const Graph& graph) {
  Json out{{"schema", "oxbow.graph"},
           {"version", json_version},
           {"seed", graph.seed()},
           {"next_stream", graph.peek_stream()}};
  Json& nodes = out["nodes"] = Json::array();
  for (NodeId i = 0; i < graph.size(); ++i) nodes.push_back(json_of(graph.node(i)));
  Json& outputs = out["outputs"] = Json::array();
  for (const auto& [name, value] : graph.outputs()) {
    Json output = reference(value);
    output["name"] = name;
    outputs.push_back(std::move(output));
  }
  Json& updates = out["updates"] = Json::array();
  for (const Value& value : graph.updates()) updates.push_back(reference(value));
  return out;
}

void set(Json& out, const char* key, std::int64_t v) {
  if (v >= 0) out[key] = v;
}

Json json_of(const Ledger::Value& v) {
  Json out{{"node", v.node}, {"output", v.output}, {"fate", name(v.fate)}, {"saved", v.saved}, {"home", v.home}};
  if (!v.name.empty()) out["name"] = v.name;
  set(out, "offset", v.offset);
  out["bytes"] = v.bytes;
  set(out, "block", v.block);
  set(out, "first", v.first);
  set(out, "last", v.last);
  out["readers"] = v.readers;
  set(out, "alias_of", v.alias_of);
  set(out, "overwrites", v.overwrites);
  set(out, "overwritten_by", v.overwritten_by);
  return out;
}

Json json_of(const Ledger& plan) {
  Json out{{"threads", plan.threads},
           {"arena_bytes", plan.arena_bytes},
           {"lower_bound", plan.lower_bound},
           {"gap", plan.gap()},
           {"live_bytes", plan.live_bytes},
           {"peak_step", plan.peak_step},
           {"live", plan.live},
           {"scratch_bytes", plan.scratch_bytes},
           {"cost_ns", number(plan.cost_ns)},
           {"critical_ns", number(plan.critical_ns)},
           {"critical_path", plan.critical_path}};
  Json& steps = out["steps"] = Json::array();
  for (const Ledger::Step& step : plan.steps) {
    Json item{{"node", step.node},       {"group", step.group},       {"parts", step.parts},
              {"commits", step.commits}, {"critical", step.critical}, {"cost_ns", number(step.cost_ns)}};
    if (step.measured_ns >= 0) item["measured_ns"] = number(step.measured_ns);
    if (step.measured_critical) item["measured_critical"] = true;
    steps.push_back(std::move(item));
  }
  Json& groups = out["groups"] = Json::array();
  for (const Ledger::Group& group : plan.groups) {
    Json item{{"first", group.first}, {"last", group.last}, {"waits_for", group.waits_for}};
    Json& shares = item["shares"] = Json::array();
    for (const auto& share : group.shares)
      shares.push_back(
          {{"lane", share.lane}, {"start_ns", number(share.start_ns)}, {"finish_ns", number(share.finish_ns)}});
    groups.push_back(std::move(item));
  }
  Json& values = out["values"] = Json::array();
  for (const Ledger::Value& v : plan.values) values.push_back(json_of(v));
  Json& blocks = out["blocks"] = Json::array();
  for (const Ledger::Block& b : plan.blocks)
    blocks.push_back({{"offset", b.offset},
                      {"bytes", b.bytes},
                      {"first", b.first},
                      {"last", b.last},
                      {"kept", b.kept},
                      {"values", b.values}});
  if (plan.run.empty()) return out;
  out["run_ns"] = number(plan.run_ns);
  if (plan.measured()) {
    out["measured_critical_ns"] = number(plan.measured_critical_ns);
    out["measured_critical_path"] = plan.measured_critical_path;
  }
  Json& run = out["run"] = Json::array();
  for (const Ledger::Event& e : plan.run)
    run.push_back({{"step", e.step}, {"lane", e.lane}, {"begin_ns", number(e.begin_ns)}, {"end_ns", number(e.end_ns)}});
  return out;
}

// A line for each field of the graph and of the plan, and for each item of their lists, so that two files compare well.
// Names may hold any bytes, JSON holds UTF-8: other bytes become U+FFFD.
void append(std::string& out, const Json& json, int depth) {
  const auto plain = [](const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); };
  const std::string line = "\n" + std::string(static_cast<std::size_t>(depth), ' ');
  const char* separator = "";
  if (json.is_object() && depth < 3) {
    out += '{';
    for (const auto& [key, field] : json.items()) {
      out += separator + line + plain(key) + ": ";
      append(out, field, key == "plan" ? depth + 1 : 3);
      separator = ",";
    }
    out += line.substr(0, line.size() - 1) + "}";
  } else if (json.is_array() && !json.empty() && json[0].is_object()) {
    out += '[';
    for (const Json& item : json) {
      out += separator + std::string("\n  ") + plain(item);
      separator = ",";
    }
    out += "]";
  } else {
    out += plain(json);
  }
}

std::string written(const Json& json) {
  std::string out;
  append(out, json, 1);
  return out + "\n";
}

}  // namespace

std::string graph_json(const Graph& graph) { return written(json_of(graph)); }

std::string plan_json(const Ledger& plan) {
  Json out = json_of(*plan.graph);
  out["plan"] = json_of(plan);
  return written(out);
}

}  // namespace oxbow::tools
