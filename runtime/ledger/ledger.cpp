#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/align.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/runtime/ledger.h>
#include <oxbow/runtime/ledger/time.h>
#include <oxbow/runtime/plan.h>
#include <oxbow/runtime/run/program_impl.h>

#include <algorithm>

namespace oxbow {
namespace {

constexpr std::int32_t none = Ledger::none;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

std::string_view name_of(Home home) {
  switch (home) {
    case Home::input:
      return "input";
    case Home::variable:
      return "variable";
    case Home::constant:
      return "constant";
    case Home::none:
      return "none";
    default:
      return "arena";
  }
}

class Reader {
 public:
  Reader(const Plan& plan, int threads) : plan_(plan), graph_(*plan.graph) {
    out_.graph = plan.graph;
    out_.threads = threads;
    out_.arena_bytes = plan.arena_bytes;
    out_.lower_bound = plan.lower_bound;
    out_.scratch_bytes = plan.scratch_bytes;
    out_.cost_ns = plan.cost;
  }

  Ledger read() {
    add_steps();
    add_values();
    add_readers();
    add_blocks();
    set_fates();
    find_peak();
    internal::add_times(out_, plan_);
    return std::move(out_);
  }

 private:
  Ledger::Value& value(NodeId node, std::int32_t output = 0) { return out_.values[at(out_.index(node, output))]; }

  void add_steps() {
    step_of_.assign(at(graph_.size()), none);
    for (const Plan::Step& s : plan_.steps) {
      if (s.node >= 0) step_of_[at(s.node)] = static_cast<std::int32_t>(out_.steps.size());
      out_.steps.push_back({.node = s.node, .parts = s.parts, .commits = s.commits, .cost_ns = s.cost});
    }
    for (const Plan::Group& g : plan_.groups) {
      for (std::uint32_t s = g.first; s < g.last; ++s)
        out_.steps[s].group = static_cast<std::int32_t>(out_.groups.size());
      out_.groups.push_back({.first = static_cast<std::int32_t>(g.first), .last = static_cast<std::int32_t>(g.last)});
    }
    for (std::size_t g = 0; g < plan_.groups.size(); ++g)
      for (std::uint32_t n = plan_.groups[g].first_next; n < plan_.groups[g].last_next; ++n)
        out_.groups[plan_.next[n]].waits_for.push_back(static_cast<std::int32_t>(g));
  }

  // Where every value lies. A node that is not a step is a leaf, an assign (its output is the value assigned), looks at
  // its inputs' bytes, or is read by nobody.
  void add_values() {
    for (NodeId id = 0; id < graph_.size(); ++id) {
      out_.first_value.push_back(static_cast<std::int32_t>(out_.values.size()));
      const Node n = graph_.node(id);
      const std::int32_t step = step_of_[at(id)];
      const std::vector<Alias> aliases = n.op().alias(n.input_types());
      for (std::int32_t k = 0; k < n.output_count(); ++k) {
        Ledger::Value v{.node = id, .output = k, .bytes = n.output(k).type().bytes()};
        if (k == 0 && !n.name().empty()) v.name = n.full_name();
        if (n.op().is<ops::Input>() || n.op().is<ops::Variable>() || n.op().is<ops::Constant>()) {
          v.home = n.op().name();
          v.fate = Ledger::Fate::leaf;
        } else if (n.op().is<ops::Assign>()) {
          alias(v, n.input(1), 0);
        } else if (at(k) < aliases.size() && aliases[at(k)]) {
          alias(v, n.input(aliases[at(k)].input), aliases[at(k)].offset);
        } else if (step >= 0) {
          computed(v, plan_.steps[at(step)], k);
        } else {
          v.home = name_of(Home::none);
          v.bytes = 0;
        }
        out_.values.push_back(std::move(v));
      }
    }
  }

  void computed(Ledger::Value& v, const Plan::Step& step, std::int32_t output) {
    const Place& place = plan_.writes[step.first_write + static_cast<std::uint32_t>(output)].place;
    v.first = v.last = step_of_[at(v.node)];
    v.home = name_of(place.home);
    if (place.home == Home::none) v.bytes = 0;
    if (place.home == Home::arena) v.offset = place.offset;
    if (place.home == Home::fetch) {
      v.offset = plan_.fetches[at(place.index)].offset;
      v.fate = Ledger::Fate::fetched;
    }
    if (place.home == Home::variable) v.fate = Ledger::Fate::assigned;
  }

  void alias(Ledger::Value& v, const oxbow::Value& of, std::int64_t offset) {
    const Ledger::Value& seen = value(of.node_id(), of.output());
    v.alias_of = out_.index(of.node_id(), of.output());
    v.fate = Ledger::Fate::alias;
    v.home = seen.home;
    v.first = v.last = seen.first;
    if (seen.offset >= 0) v.offset = seen.offset + offset;
  }

  // Whose bytes a value is: of itself, or at the end of what it looks at.
  std::int32_t root(std::int32_t v) const { return root_[at(v)]; }

  // A value's own readers, and those of all that looks at its bytes where they are its own: each reader in two lists at
  // most, however long a chain of views is.
  void add_readers() {
    for (std::int32_t v = 0; v < std::ssize(out_.values); ++v) {
      const std::int32_t of = out_.values[at(v)].alias_of;
      root_.push_back(of >= 0 ? root_[at(of)] : v);
    }
    const auto add = [&](std::int32_t v, std::int32_t step) {
      auto& readers = out_.values[at(v)].readers;
      if (readers.empty() || readers.back() != step) readers.push_back(step);
      out_.values[at(v)].last = step;
    };
    for (std::int32_t s = 0; s < std::ssize(out_.steps); ++s) {
      if (out_.steps[at(s)].node < 0) continue;
      const Node n = graph_.node(out_.steps[at(s)].node);
      for (int i = 0; i < n.input_count(); ++i) {
        if (!n.input(i) || !n.op().info().reads(i)) continue;
        const std::int32_t v = out_.index(n.input(i).node_id(), n.input(i).output());
        add(v, s);
        if (root(v) != v) add(root(v), s);
      }
    }
    // What looks at a value stands below it: going up, each hears of all that read it through others. A forward value's
    // readers in later phases: those whose assign lies in the update phase read nothing.
    std::vector<bool> read_later(out_.values.size());
    for (auto i = static_cast<std::int32_t>(out_.values.size()); i-- > 0;) {
      Ledger::Value& v = out_.values[at(i)];
      read_later[at(i)] =
          read_later[at(i)] || std::any_of(v.readers.begin(), v.readers.end(), [&](std::int32_t s) {
            return phase(out_.steps[at(s)].node) != Phase::forward;
          });
      v.saved = v.fate != Ledger::Fate::leaf && phase(v.node) == Phase::forward && read_later[at(i)];
      if (v.alias_of < 0) continue;
      read_later[at(v.alias_of)] = read_later[at(v.alias_of)] || read_later[at(i)];
      Ledger::Value& seen = out_.values[at(v.alias_of)];
      seen.last = std::max(seen.last, v.last);
    }
  }

  Phase phase(NodeId node) const { return graph_.node(node).origin().phase; }

  // A step's result that begins where one of its operands does took over that operand's bytes: values that are alive at
  // once share none otherwise.
  void add_blocks() {
    for (std::int32_t s = 0; s < std::ssize(out_.steps); ++s) {
      if (out_.steps[at(s)].node < 0) continue;
      const Node n = graph_.node(out_.steps[at(s)].node);
      for (std::int32_t k = 0; k < n.output_count(); ++k) {
        const std::int32_t index = out_.index(n.id(), k);
        Ledger::Value& v = out_.values[at(index)];
        if (v.offset < 0) continue;
        for (int i = 0; i < n.input_count() && v.bytes > 0 && v.overwrites < 0; ++i) {
          if (!n.input(i) || !n.op().info().reads(i)) continue;
          const std::int32_t from = root(out_.index(n.input(i).node_id(), n.input(i).output()));
          if (out_.values[at(from)].offset == v.offset && out_.values[at(from)].bytes > 0) v.overwrites = from;
        }
        if (v.overwrites >= 0) {
          v.block = out_.values[at(v.overwrites)].block;
          out_.values[at(v.overwrites)].overwritten_by = index;
        } else {
          v.block = static_cast<std::int32_t>(out_.blocks.size());
          out_.blocks.push_back({.offset = v.offset, .bytes = internal::aligned(v.bytes), .first = s});
        }
        Ledger::Block& block = out_.blocks[at(v.block)];
        block.values.push_back(index);
        block.last = v.last;
        block.kept = v.fate == Ledger::Fate::fetched;
      }
    }
    for (Ledger::Value& v : out_.values)
      if (v.alias_of >= 0) v.block = out_.values[at(root(v.alias_of))].block;
  }

  void set_fates() {
    for (Ledger::Value& v : out_.values) {
      if (v.fate != Ledger::Fate::dropped) continue;
      if (v.saved)
        v.fate = Ledger::Fate::saved;
      else if (v.overwritten_by >= 0)
        v.fate = Ledger::Fate::overwritten;
    }
  }

  void find_peak() {
    const std::size_t count = out_.steps.size();
    std::vector<std::int64_t> change(count + 1);
    for (const Ledger::Block& b : out_.blocks) {
      change[at(b.first)] += b.bytes;
      if (!b.kept) change[at(b.last) + 1] -= b.bytes;
    }
    std::int64_t live = 0;
    for (std::size_t s = 0; s < count; ++s) {
      live += change[s];
      if (live > out_.live_bytes) {
        out_.live_bytes = live;
        out_.peak_step = static_cast<std::int32_t>(s);
      }
    }
    for (std::int32_t b = 0; b < std::ssize(out_.blocks); ++b)
      if (const Ledger::Block& block = out_.blocks[at(b)];
          block.bytes > 0 && block.first <= out_.peak_step && (block.kept || block.last >= out_.peak_step))
        out_.live.push_back(b);
  }

  const Plan& plan_;
  const Graph& graph_;
  std::vector<std::int32_t> step_of_;  // of each node
  std::vector<std::int32_t> root_;     // of each value
  Ledger out_;
};

}  // namespace

std::string_view name(Ledger::Fate fate) {
  constexpr std::string_view names[] = {"leaf", "alias", "fetched", "assigned", "saved", "overwritten", "dropped"};
  return names[static_cast<std::size_t>(fate)];
}

Ledger ledger(const Plan& plan, int threads) {
  return internal::while_memory_lasts("looking into a plan", [&] { return Reader(plan, threads).read(); });
}

Ledger ledger(const Program& program, const std::map<std::string, Shape>& shapes) {
  return internal::while_memory_lasts("looking into a plan", [&] {
    const Program::Impl& impl = program.impl();
    std::vector<Shape> all;
    for (const ops::Input& in : impl.inputs) all.push_back(in.type.shape);
    for (const auto& [name, shape] : shapes) all[at(impl.input(name))] = shape;
    return ledger(*impl.plan(all), impl.options.pool.threads());
  });
}

}  // namespace oxbow
