#include "measure/profile_report.h"

#include <fmt/format.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/runtime/plan.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "dump/json_text.h"
#include "dump/style.h"

namespace oxbow::tools {
namespace {

// The way from the whole to a node: its phase, its scopes, itself.
std::vector<std::string> path_of(const Graph& graph, NodeId id) {
  const Node n = graph.node(id);
  std::vector<std::string> path{std::string(name(n.origin().phase))};
  std::string rest = n.origin().scope.str();
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    path.push_back(rest.substr(0, slash));
    rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
  }
  std::string own = n.full_name();
  if (const std::size_t slash = own.rfind('/'); slash != std::string::npos) own = own.substr(slash + 1);
  if (const std::string ops = dots::made_of(n.op(), 5); !ops.empty()) own += " (" + ops + ")";
  path.push_back(own);
  for (std::string& part : path) part = internal::escaped(part);
  return path;
}

std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }

struct Branch {
  std::int64_t ns = 0;
  std::map<std::string, Branch> parts;
};

void print(const Branch& branch, const Profile& profile, int depth, std::string& out) {
  std::vector<const std::pair<const std::string, Branch>*> order;
  for (const auto& part : branch.parts)
    if (!part.second.parts.empty()) order.push_back(&part);
  std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->second.ns > b->second.ns; });
  for (const auto* part : order) {
    const double ns = static_cast<double>(part->second.ns);
    out += fmt::format("{:>10.1f}  {:>7}  {}{}\n", ns / 1e3 / profile.runs(),
                       percent(ns / static_cast<double>(std::max<std::int64_t>(profile.busy(), 1))),
                       std::string(static_cast<std::size_t>(2 * depth), ' '), part->first);
    print(part->second, profile, depth + 1, out);
  }
}

}  // namespace

void Profile::add(const Trace& trace) {
  if (runs_ == 0) {
    graph_ = trace.plan().graph;
    workers_ = trace.workers();
    of_step_.resize(trace.plan().steps.size());
    for (std::size_t s = 0; s < trace.plan().steps.size(); ++s) {
      const NodeId id = trace.plan().steps[s].node;
      of_step_[s] = static_cast<std::uint32_t>(nodes_.size());
      NodeTime node{.node = id};
      if (id >= 0) {
        const Work work = graph_->node(id).op().work(graph_->node(id).input_types());
        node.flops = work.flops;
        node.bytes = work.bytes;
      }
      nodes_.push_back(node);
    }
  }
  invariant(graph_ == trace.plan().graph, "a profile is of one plan");
  for (const Trace::Event& e : trace.events()) {
    invariant(e.worker >= 0, "a profile is of runs that ended well");
    NodeTime& node = nodes_[of_step_[e.step]];
    node.ns += e.end - e.begin;
    ++node.tasks;
  }
  ++runs_;
  wall_ += trace.wall();
}

std::int64_t Profile::busy() const {
  return std::accumulate(nodes_.begin(), nodes_.end(), std::int64_t{0},
                         [](std::int64_t sum, const NodeTime& n) { return sum + n.ns; });
}

std::string describe(const Graph& graph, NodeId id) {
  if (id < 0) return "wait for all that can fail on data";
  const Node n = graph.node(id);
  std::string text = to_string(n);
  if (const std::string ops = dots::made_of(n.op(), 5); !ops.empty()) text += " (" + ops + ")";
  if (n.origin().forward >= 0) text += " for " + to_string(graph.node(n.origin().forward));
  if (n.origin().phase == Phase::update) text += ", update";
  if (n.origin().at.known()) text += "  " + to_string(n.origin().at);
  return text;
}

std::string table(const Profile& p, const MachinePeak& peak, int top) {
  std::vector<const Profile::NodeTime*> order;
  for (const auto& n : p.nodes()) order.push_back(&n);
  std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->ns > b->ns; });
  std::string out = fmt::format("{:>10}  {:>7}  {:>5}  {:>8}  {:>7}  {:>8}  {:>7}  {}\n", "us a run", "share", "tasks",
                                "Gflop/s", "of peak", "GB/s", "of peak", "node");
  const double busy = static_cast<double>(std::max<std::int64_t>(p.busy(), 1));
  std::int64_t rest = 0;
  int more = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Profile::NodeTime& n = *order[i];
    if (n.node < 0 || static_cast<int>(i) >= top) {
      rest += n.ns;
      more += n.node >= 0;
      continue;
    }
    const double ns = static_cast<double>(n.ns) / p.runs();
    const double flops = ns > 0 ? n.flops / ns : 0, bytes = ns > 0 ? n.bytes / ns : 0;
    out += fmt::format("{:>10.2f}  {:>7}  {:>5}  {:>8.1f}  {:>7}  {:>8.1f}  {:>7}  {}\n", ns / 1e3,
                       percent(static_cast<double>(n.ns) / busy), n.tasks / p.runs(), flops,
                       percent(flops / peak.flops_per_ns), bytes, percent(bytes / peak.bytes_per_ns),
                       describe(p.graph(), n.node));
  }
  if (more > 0)
    out += fmt::format("{:>10.2f}  {:>7}  {} nodes more\n", static_cast<double>(rest) / 1e3 / p.runs(),
                       percent(static_cast<double>(rest) / busy), more);
  return out;
}

std::string tree(const Profile& p) {
  Branch root;
  for (const auto& n : p.nodes()) {
    if (n.node < 0) continue;
    Branch* at = &root;
    for (const std::string& part : path_of(p.graph(), n.node)) {
      at = &at->parts[part];
      at->ns += n.ns;
    }
  }
  std::string out = fmt::format("{:>10}  {:>7}  {}\n", "us a run", "share", "scope");
  print(root, p, 0, out);
  return out;
}

std::string folded(const Profile& p) {
  std::string out;
  for (const auto& n : p.nodes()) {
    if (n.node < 0) continue;
    std::vector<std::string> path = path_of(p.graph(), n.node);
    for (std::string& part : path) std::replace(part.begin(), part.end(), ';', ',');
    out += fmt::format("{} {}\n", fmt::join(path, ";"), n.ns / p.runs());
  }
  return out;
}

std::string chrome_trace(const Trace& trace, const std::string& title) {
  return internal::while_memory_lasts("writing a timeline", [&] {
    JsonList events = JsonList::in_lines();
    const auto call = [&](const char* what, int worker, const std::string& text) {
      events.add(JsonObject{
          {"name", what}, {"ph", "M"}, {"ts", 0}, {"pid", 1}, {"tid", worker}, {"args", JsonObject{{"name", text}}}});
    };
    call("process_name", 0, title);
    for (int w = 0; w < trace.workers(); ++w) call("thread_name", w, w == 0 ? "caller" : fmt::format("worker {}", w));
    const Graph& g = trace.graph();
    for (const Trace::Event& e : trace.events()) {
      if (e.node < 0 || e.worker < 0) continue;
      const Node n = g.node(e.node);
      const Work work = n.op().work(n.input_types());
      JsonObject args{{"node", e.node}, {"op", n.op().name()}, {"type", to_string(n.output_types())}};
      if (const std::string ops = dots::made_of(n.op(), 1000); !ops.empty()) args.add("made of", ops);
      if (n.origin().forward >= 0) args.add("gradient of", g.node(n.origin().forward).full_name());
      if (n.origin().at.known()) args.add("line", to_string(n.origin().at));
      if (e.chunks > 1) args.add("share", fmt::format("{} of {}", e.chunk + 1, e.chunks));
      args.add("flops", work.flops);
      args.add("bytes", work.bytes);
      events.add(JsonObject{{"name", n.full_name()},
                            {"cat", name(n.origin().phase)},
                            {"ph", "X"},
                            {"ts", static_cast<double>(e.begin) / 1e3},
                            {"dur", static_cast<double>(e.end - e.begin) / 1e3},
                            {"pid", 1},
                            {"tid", e.worker},
                            {"args", std::move(args)}});
    }
    return JsonObject{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ns"}}.finish() + "\n";
  });
}

}  // namespace oxbow::tools
