#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/text/value.h>
#include <oxbow/runtime/ledger/fields.h>
#include <oxbow/runtime/ledger/text.h>

#include <algorithm>
#include <charconv>
#include <functional>

namespace oxbow::internal {
namespace ledger_text {
namespace {

using text::Lexer;
using text::Token;

template <class T>
void read_record(Lexer& in, T& item) {
  std::vector<Token> keys;
  const AttrRecord record = text::read_record(in, 0, &keys);
  for (std::size_t i = 0; i < record.size(); ++i) {
    const auto& [key, value] = record[i];
    bool known = false;
    try {
      std::apply(
          [&](const auto&... f) {
            ((f.name == key ? (from_attr(value, item.*f.member), known = true) : false) || ...);
          },
          fields(&item));
    } catch (const Error& e) {
      in.fail(keys[i], key + ": " + e.what());
    }
    if (known) continue;
    std::vector<std::string> names;
    std::apply([&](const auto&... f) { (names.emplace_back(f.name), ...); }, fields(&item));
    in.fail(keys[i], "there is no field " + in_quotes(key) + " here." + did_you_mean(key, names));
  }
}

class Parser {
 public:
  Parser(std::string_view text, std::size_t from, std::shared_ptr<const Graph> graph, std::string_view file)
      : in_(text, file, from) {
    plan_.graph = std::move(graph);
  }

  Ledger parse() {
    header();
    section("steps", [&] { step(); });
    section("groups", [&] { group(); });
    const Token values = in_.peek();
    section("values", [&] { value(); });
    if (std::ssize(plan_.values) != value_count()) in_.fail(values, "a plan has a line for each output of each node");
    section("blocks", [&] { read_record(in_, plan_.blocks.emplace_back()); });
    if (in_.next_is("run")) section("run", [&] { read_record(in_, plan_.run.emplace_back()); });
    if (!in_.accept_end()) in_.unexpected("\"end\" behind the plan");
    add_firsts(plan_.graph->size() - 1);
    check_numbers();
    check_extents();
    return std::move(plan_);
  }

 private:
  void header() {
    in_.take();  // "oxbow", as was found
    if (!in_.accept("plan")) in_.unexpected("\"plan\"");
    const Token at = in_.peek();
    if (const std::int64_t version = text::read_integer(in_, "the version of the plan"); version != 1)
      in_.fail(at,
               "this plan has version " + std::to_string(version) + ", but only version 1 is known. Use a newer Oxbow");
    start_ = in_.peek();
    read_record(in_, plan_);
  }

  template <class F>
  void section(std::string_view name, F&& line) {
    if (!in_.accept(name)) in_.unexpected("\"" + std::string(name) + ":\"");
    in_.expect(':', "behind the heading");
    while (in_.next_is('{') || in_.peek().kind == Token::label || in_.next_is("barrier")) line();
  }

  void step() {
    Ledger::Step& s = plan_.steps.emplace_back();
    if (!in_.accept("barrier")) {
      if (in_.peek().kind != Token::label) in_.unexpected("the label of a node or \"barrier\"");
      s.node = node(in_.take());
    }
    read_record(in_, s);
  }

  void group() {
    const Token at = in_.peek();
    Group g;
    read_record(in_, g);
    if (g.start_ns.size() != g.lanes.size() || g.finish_ns.size() != g.lanes.size())
      in_.fail(at, "a group has as many starts and finishes as lanes");
    Ledger::Group& out = plan_.groups.emplace_back();
    out.first = g.first;
    out.last = g.last;
    out.waits_for = g.waits_for;
    for (std::size_t i = 0; i < g.lanes.size(); ++i) out.shares.push_back({g.lanes[i], g.start_ns[i], g.finish_ns[i]});
  }

  void value() {
    if (in_.peek().kind != Token::label) in_.unexpected("the label of a value");
    const Token at = in_.take();
    const NodeId id = node(at);
    const std::int32_t output = std::max(at.output, 0);
    const std::size_t count = plan_.values.size();
    const bool next_output =
        count > 0 && plan_.values[count - 1].node == id && plan_.values[count - 1].output + 1 == output;
    const bool next_node = output == 0 && id == std::ssize(plan_.first_value);
    if (output >= plan_.graph->node(id).output_count() || !(next_output || next_node))
      in_.fail(at, "values stand in the order of the graph's nodes and their outputs");
    if (next_node) add_firsts(id);
    Entry& v = plan_.values.emplace_back();
    v.node = id;
    v.output = output;
    read_record(in_, v);
  }

  // Nodes without outputs have no line.
  void add_firsts(NodeId until) {
    while (std::ssize(plan_.first_value) <= until)
      plan_.first_value.push_back(static_cast<std::int32_t>(plan_.values.size()));
  }

  NodeId node(const Token& label) {
    if (!label.value.empty()) {
      if (const auto found = plan_.graph->find(label.value)) return found->id();
    } else {
      NodeId id = -1;
      const auto [stop, wrong] = std::from_chars(label.raw.data() + 1, label.raw.data() + label.raw.size(), id);
      if (wrong == std::errc() && id >= 0 && id < plan_.graph->size()) return id;
    }
    in_.fail(label, "there is no node " + std::string(label.raw) + " in the graph");
  }

  std::int64_t value_count() const {
    std::int64_t count = 0;
    for (NodeId i = 0; i < plan_.graph->size(); ++i) count += plan_.graph->node(i).output_count();
    return count;
  }

  // Every number is of something that there is.
  void check_numbers() const {
    const auto there = [&](std::int64_t i, std::size_t count) {
      if (i < 0 || i >= static_cast<std::int64_t>(count))
        in_.fail(start_, "this plan speaks of a step, group, value, block or lane that it does not have");
    };
    const auto all_there = [&](const std::vector<std::int32_t>& list, std::size_t count) {
      for (const std::int32_t i : list) there(i, count);
    };
    const auto there_or_none = [&](std::int64_t i, std::size_t count) {
      if (i != Ledger::none) there(i, count);
    };
    // A barrier computes nothing: whoever asks for a step's node may rely on it.
    const auto runs = [&](std::int64_t s) {
      there(s, plan_.steps.size());
      if (plan_.steps[static_cast<std::size_t>(s)].node < 0)
        in_.fail(start_, "this plan has a barrier where a step belongs that computes something");
    };
    const auto runs_or_none = [&](std::int64_t s) {
      if (s != Ledger::none) runs(s);
    };
    const std::size_t steps = plan_.steps.size(), groups = plan_.groups.size(), values = plan_.values.size(),
                      blocks = plan_.blocks.size(), lanes = static_cast<std::size_t>(std::max(plan_.threads, 0));
    for (const Ledger::Step& s : plan_.steps) there(s.group, groups);
    for (const Ledger::Group& g : plan_.groups) {
      there(g.first, steps);
      there(std::int64_t{g.last} - 1, steps);
      all_there(g.waits_for, groups);
      for (const auto& s : g.shares) there(s.lane, lanes);
    }
    for (const Ledger::Event& e : plan_.run) {
      there(e.step, steps);
      there(e.lane, lanes);
    }
    for (std::size_t i = 0; i < values; ++i) {
      const Entry& v = plan_.values[i];
      there_or_none(v.block, blocks);
      runs_or_none(v.first);
      runs_or_none(v.last);
      // What is looked at or written over stands above, so that nobody goes from one to the next for ever.
      for (const std::int32_t other : {v.alias_of, v.overwrites}) there_or_none(other, i);
      there_or_none(v.overwritten_by, values);
      if ((v.fate == Ledger::Fate::alias) != (v.alias_of != Ledger::none))
        in_.fail(start_, "in this plan a value is an \"alias\" without \"alias_of\", or the other way round");
      for (const std::int32_t s : v.readers) runs(s);
    }
    for (const Block& b : plan_.blocks) {
      runs(b.first);
      runs(b.last);
      all_there(b.values, values);
      if (b.values.empty()) in_.fail(start_, "in this plan a block has no values");
    }
    runs_or_none(plan_.peak_step);
    all_there(plan_.live, blocks);
    for (const auto* path : {&plan_.critical_path, &plan_.measured_critical_path}) {
      for (const std::int32_t s : *path) runs(s);
      if (std::adjacent_find(path->begin(), path->end(), std::greater_equal<>()) != path->end())
        in_.fail(start_, "in this plan a critical path goes back to an earlier step");
    }
  }

  // What has bytes lies in the arena, and nothing ends before it begins.
  void check_extents() const {
    bool good = plan_.arena_bytes >= 0;
    const auto inside = [&](std::int64_t offset, std::int64_t bytes) {
      return offset >= 0 && bytes >= 0 && bytes <= plan_.arena_bytes && offset <= plan_.arena_bytes - bytes;
    };
    for (const Block& b : plan_.blocks) good = good && inside(b.offset, b.bytes) && b.first <= b.last;
    for (const Entry& v : plan_.values)
      good = good && v.bytes >= 0 && (v.offset == Ledger::none || inside(v.offset, v.bytes)) && v.first <= v.last;
    for (const Ledger::Group& g : plan_.groups) good = good && g.first < g.last;
    for (const Ledger::Event& e : plan_.run) good = good && e.begin_ns >= 0 && e.begin_ns <= e.end_ns;
    if (!good)
      in_.fail(start_, "in this plan something lies outside of its arena of " + std::to_string(plan_.arena_bytes) +
                           " bytes, or ends before it begins");
  }

  Lexer in_;
  Token start_;
  Ledger plan_;
};

}  // namespace
}  // namespace ledger_text

std::optional<Ledger> parse_ledger(std::string_view text, std::shared_ptr<const Graph> graph, std::string_view file) {
  // A string holds no line's end, so this stands for nothing else.
  const std::size_t place = text.find("\noxbow plan");
  if (place == std::string_view::npos) return std::nullopt;
  return with_own_errors("cannot read", file, [&] {
    return std::optional(ledger_text::Parser(text, place + 1, std::move(graph), file).parse());
  });
}

}  // namespace oxbow::internal
