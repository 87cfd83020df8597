#include <oxbow/graph/leaves.h>
#include <oxbow/runtime/plan/rebuild.h>

#include <algorithm>
#include <map>
#include <utility>

namespace oxbow::internal {
namespace {

class Builder {
 public:
  Builder(const Graph& from, const Storages& storages, const Timeline& line)
      : from_(from),
        storages_(storages),
        line_(line),
        rewriter_(from),
        now_(line.runs.size(), -1),
        step_of_(static_cast<std::size_t>(from.size()), Timeline::none),
        looked_(static_cast<std::size_t>(from.size())) {}

  // Leaves first, then steps as they run, each behind what it reads, if only for its shape. What just looks at a step's
  // bytes stands before its first reader.
  Recomputed build() {
    for (NodeId id = 0; id < from_.size(); ++id)
      if (const Op& op = from_.node(id).op(); op.is<ops::Input>() || op.is<ops::Variable>() || op.is<ops::Constant>())
        rewriter_.copy(from_.node(id));
    for (std::uint32_t s = 0; s < line_.steps.size(); ++s)
      if (line_.steps[s].node >= 0) step_of_[static_cast<std::size_t>(line_.steps[s].node)] = s;
    for (const std::uint32_t r : line_.order) add(r);
    for (NodeId id = 0; id < from_.size(); ++id)
      if (from_.node(id).op().is<ops::Assign>()) first_of(from_.node(id).output());
    std::vector<std::pair<std::string, Value>> outputs;
    for (const auto& [name, value] : from_.outputs()) outputs.emplace_back(name, first_of(value));
    for (const std::uint32_t r : line_.order) {
      result_.order.push_back(now_[r]);
      if (line_.steps[line_.runs[r].step].can_fail) result_.failing.push_back(now_[r]);
    }
    add_waits();
    result_.graph = rewriter_.finish_with(outputs);
    return std::move(result_);
  }

 private:
  void add(std::uint32_t r) {
    for (std::vector<std::uint32_t> todo = {r}; !todo.empty();) {
      const std::uint32_t run = todo.back();
      const std::size_t before = todo.size();
      if (now_[run] < 0 && !is_barrier(run)) add_missing(run, todo);
      if (todo.size() > before) continue;
      todo.pop_back();
      if (now_[run] < 0 && !is_barrier(run)) append(run);
    }
  }
  bool is_barrier(std::uint32_t r) const { return line_.steps[line_.runs[r].step].node < 0; }

  // The runs that have to be there before this one and are not.
  void add_missing(std::uint32_t r, std::vector<std::uint32_t>& out) {
    for (const std::uint32_t v : line_.runs[r].reads)
      if (const std::uint32_t maker = line_.values[v].run; now_[maker] < 0) out.push_back(maker);
    const Node n = from_.node(line_.steps[line_.runs[r].step].node);
    for (int i = 0; i < n.input_count(); ++i)
      if (n.input(i)) add_missing(n.input(i), out);
    if (n.origin().forward >= 0)
      if (const Node forward = from_.node(n.origin().forward); forward.output_count() > 0)
        add_missing(forward.output(), out);
  }
  // Values that look at others' bytes may do so one behind another, a graph long.
  void add_missing(Value wanted, std::vector<std::uint32_t>& out) {
    ++look_;
    for (std::vector<Value> open = {wanted}; !open.empty();) {
      const Value v = open.back();
      open.pop_back();
      if (rewriter_.mapped(v)) continue;
      const Node n = v.node();
      if (const std::uint32_t step = step_of_[static_cast<std::size_t>(n.id())]; step != Timeline::none) {
        const auto& runs = line_.runs_of[step];
        out.push_back(*std::min_element(runs.begin(), runs.end(), [&](std::uint32_t a, std::uint32_t b) {
          return line_.place[a] < line_.place[b];
        }));
      } else if (std::exchange(looked_[static_cast<std::size_t>(n.id())], look_) != look_) {
        for (int i = n.input_count(); i-- > 0;)
          if (n.input(i)) open.push_back(n.input(i));
      }
    }
  }

  void append(std::uint32_t r) {
    const Timeline::Run& run = line_.runs[r];
    const Node old = from_.node(line_.steps[run.step].node);
    std::vector<Value> inputs;
    for (int i = 0; i < old.input_count(); ++i) inputs.push_back(old.input(i) ? as_read(run, old.input(i)) : Value());
    const bool first = old.output_count() == 0 || !rewriter_.mapped(old.output());
    Origin origin = origin_of(old);
    if (!first) {
      origin.phase = Phase::backward;
      origin.forward = rewriter_(old.output()).node_id();
    }
    now_[r] = copy(old, inputs, origin).id();
  }

  // A value as a run reads it, the run's own reads saying which run's it is.
  Value as_read(const Timeline::Run& run, Value old) {
    const auto storage = static_cast<std::uint32_t>(storages_.of(old).storage);
    for (const std::uint32_t v : run.reads)
      if (line_.values[v].storage == storage) return of_run(line_.values[v].run, old);
    return first_of(old);
  }

  // A value of the bytes that a run made: its node's, or what looks at them.
  Value of_run(std::uint32_t r, Value wanted) {
    const NodeId maker = line_.steps[line_.runs[r].step].node;
    const std::int32_t storage = storages_.of(wanted).storage;
    const auto has_bytes = [&](const Value& v) { return v && storages_.of(v).storage == storage; };
    const auto made = [&](const Value& v) {
      if (v.node_id() == maker) return rewriter_.to().node(now_[r]).output(v.output());
      const auto known = looks_.find({r, v.node_id()});
      return known == looks_.end() ? Value() : rewriter_.to().node(known->second).output(v.output());
    };
    // By way of its one input that has the bytes; others are read for their shapes.
    for (std::vector<Value> open = {wanted}; !open.empty();) {
      const Node n = open.back().node();
      const std::size_t before = open.size();
      if (!made(open.back())) {
        for (int i = n.input_count(); i-- > 0;)
          if (has_bytes(n.input(i)) && !made(n.input(i))) open.push_back(n.input(i));
        if (open.size() > before) continue;
        std::vector<Value> inputs;
        for (int i = 0; i < n.input_count(); ++i)
          inputs.push_back(!n.input(i)              ? Value()
                           : has_bytes(n.input(i)) ? made(n.input(i))
                                                   : first_of(n.input(i)));
        looks_.emplace(std::pair(r, n.id()), copy(n, inputs, origin_of(n)).id());
      }
      open.pop_back();
    }
    return made(wanted);
  }

  // A value of whichever run made it first.
  Value first_of(Value wanted) {
    for (std::vector<Value> open = {wanted}; !open.empty();) {
      const Node n = open.back().node();
      const std::size_t before = open.size();
      if (!rewriter_.mapped(open.back())) {
        for (int i = n.input_count(); i-- > 0;)
          if (n.input(i) && !rewriter_.mapped(n.input(i))) open.push_back(n.input(i));
        if (open.size() > before) continue;
        std::vector<Value> inputs;
        for (int i = 0; i < n.input_count(); ++i)
          inputs.push_back(n.input(i) ? rewriter_(n.input(i)) : Value());
        copy(n, inputs, origin_of(n));
      }
      open.pop_back();
    }
    return rewriter_(wanted);
  }

  Origin origin_of(Node old) const {
    Origin origin = old.origin();
    origin.forward = rewriter_.forward_of(old);
    return origin;
  }

  // The first copy stands for the old node.
  Node copy(Node old, const std::vector<Value>& inputs, const Origin& origin) {
    const Node now = rewriter_.to().append_copy(old, inputs, origin);
    for (int k = 0; k < old.output_count(); ++k)
      if (!rewriter_.mapped(old.output(k))) rewriter_.map(old.output(k), now.output(k));
    return now;
  }

  // A run that makes something anew waits for the last of what its first reader waits for besides.
  void add_waits() {
    for (const std::uint32_t r : line_.order) {
      if (!line_.runs[r].again || reads_anew(r)) continue;
      std::uint32_t reader = r;
      while (line_.runs[reader].again) {
        const std::uint32_t next = first_reader(reader);
        if (next == Timeline::none) break;
        reader = next;
      }
      std::uint32_t after = Timeline::none;
      for (const std::uint32_t v : line_.runs[reader].reads) {
        const std::uint32_t maker = line_.values[v].run;
        if (line_.place[maker] < line_.place[r] && !line_.runs[maker].again &&
            (after == Timeline::none || line_.place[maker] > line_.place[after]))
          after = maker;
      }
      // Where that is long before, the step before it in the order.
      if (after == Timeline::none || line_.place[after] + near_ < line_.place[r])
        for (std::uint32_t p = line_.place[r]; p-- > 0;)
          if (now_[line_.order[p]] >= 0 && !line_.runs[line_.order[p]].again) {
            after = line_.order[p];
            break;
          }
      if (after != Timeline::none && now_[after] >= 0) result_.waits.push_back({now_[r], now_[after]});
    }
  }
  bool reads_anew(std::uint32_t r) const {
    return std::any_of(line_.runs[r].reads.begin(), line_.runs[r].reads.end(),
                       [&](std::uint32_t v) { return line_.runs[line_.values[v].run].again; });
  }
  std::uint32_t first_reader(std::uint32_t r) const {
    std::uint32_t first = Timeline::none;
    const Timeline::Run& run = line_.runs[r];
    for (std::uint32_t k = 0; k < line_.steps[run.step].writes.size(); ++k)
      for (const std::uint32_t reader : line_.readers[run.first_value + k])
        if (first == Timeline::none || line_.place[reader] < line_.place[first]) first = reader;
    return first;
  }

  static constexpr std::uint32_t near_ = 32;  // steps of the order
  const Graph& from_;
  const Storages& storages_;
  const Timeline& line_;
  Rewriter rewriter_;
  std::vector<NodeId> now_;             // of each run
  std::vector<std::uint32_t> step_of_;  // of each old node
  std::vector<std::uint32_t> looked_;   // of each old node, the last look through views that came by
  std::uint32_t look_ = 0;
  std::map<std::pair<std::uint32_t, NodeId>, NodeId> looks_;
  Recomputed result_;
};

}  // namespace

Recomputed rebuilt(const Graph& from, const Storages& storages, const Timeline& line) {
  return Builder(from, storages, line).build();
}

}  // namespace oxbow::internal
