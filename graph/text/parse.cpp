#include <oxbow/graph/catalog.h>
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/scope.h>
#include <oxbow/graph/text.h>
#include <oxbow/graph/text/number.h>
#include <oxbow/graph/text/opaque.h>
#include <oxbow/graph/text/value.h>
#include <oxbow/graph/verify.h>

#include <unordered_map>

namespace oxbow {
using namespace internal;

namespace {

using text::Lexer;
using text::Token;

class Parser {
 public:
  Parser(Lexer& in, const Catalog& catalog, std::string_view file)
      : in_(in), catalog_(catalog), graph_(std::make_unique<Graph>()), file_(graph_->intern(file)) {}

  std::unique_ptr<Graph> parse() {
    header();
    while (!plan_follows() && !in_.accept_end()) section();
    check();
    return std::move(graph_);
  }

 private:
  // One that an op in the graph of `outer` owns.
  Parser(const Parser& outer, int depth)
      : in_(outer.in_), catalog_(outer.catalog_), graph_(std::make_unique<Graph>()), file_(outer.file_), depth_(depth) {
    graph_->share_names(*outer.graph_);
  }

  // "{", sections, "}".
  std::unique_ptr<Graph> parse_inner() {
    in_.expect('{', "before the nodes of a graph");
    while (!in_.accept('}')) section();
    check();
    return std::move(graph_);
  }

  void check() const {
    if (const auto wrong = first_violation(*graph_)) {
      const Token& at = wrong->node >= 0 ? definitions_[static_cast<std::size_t>(wrong->node)] : in_.peek();
      in_.fail(at, wrong->what + ", but " + wrong->invariant);
    }
  }

  void header() {
    if (!in_.accept("oxbow") || !in_.accept("graph"))
      in_.unexpected("\"oxbow graph 1\" at the start of a graph's text");
    const Token at = in_.peek();
    if (const std::int64_t version = text::read_integer(in_, "the version of the text"); version != 1)
      in_.fail(at,
               "this text has version " + std::to_string(version) + ", but only version 1 is known. Use a newer Oxbow");
    if (!in_.accept("seed")) in_.unexpected("\"seed\" and its number");
    std::uint64_t seed = 0;
    from_attr(text::read_integer(in_, "the seed"), seed);
    graph_->set_seed(seed);
    if (!in_.accept("next_stream")) in_.unexpected("\"next_stream\" and its number");
    graph_->continue_streams(text::read_integer(in_, "the number of the next stream"));
  }

  bool plan_follows() {
    if (!in_.accept("oxbow")) return false;
    if (!in_.next_is("plan")) in_.unexpected("\"plan\": a text holds one graph, and perhaps its plan");
    return true;
  }

  void section() {
    if (in_.accept("outputs")) {
      in_.expect(':', "behind \"outputs\"");
      while (in_.peek().kind == Token::string) output();
      if (in_.peek().kind == Token::label) in_.unexpected("the name of an output as a string");
      return;
    }
    if (in_.accept("updates")) {
      in_.expect(':', "behind \"updates\"");
      while (in_.peek().kind == Token::label) {
        const Token at = in_.peek();
        const Value v = value();
        checked(at, [&] { graph_->add_update(v); });
      }
      return;
    }
    Origin origin;
    for (Phase phase : {Phase::forward, Phase::backward, Phase::update})
      if (in_.next_is(name(phase))) {
        in_.take();
        origin.phase = phase;
        if (const Token scope = in_.peek(); scope.kind == Token::string) {
          checked(scope, [&] { check_scope(scope.value); });
          origin.scope = in_.take().value;
        }
        in_.expect(':', "behind the heading of a phase");
        while (in_.peek().kind == Token::label) node(origin);
        return;
      }
    in_.unexpected((graph_->size() == 0 ? "" : "a node, ") +
                   std::string("a heading (\"forward:\", \"outputs:\", ...) or \"end\""));
  }

  void output() {
    const Token at = in_.take();
    in_.expect('=', "behind the name of an output");
    const Value v = value();
    checked(at, [&] { graph_->add_output(at.value, v); });
  }

  // One line: "%2 = matmul(%x, %w) {...} : f32[64, 256] for %1".
  void node(Origin origin) {
    const Token label = in_.take();
    if (graph_->size() >= limits::nodes)
      in_.fail(label, "a graph's text has at most " + std::to_string(limits::nodes) + " nodes");
    if (label.output >= 0) in_.fail(label, "a node is defined under its label alone, without '#'");
    in_.expect('=', "behind the label of a node");
    if (in_.peek().kind != Token::word && in_.peek().kind != Token::string) in_.unexpected("the name of an op");
    const Token op = in_.take();
    std::vector<Value> inputs;
    if (in_.accept('(')) {
      do inputs.push_back(in_.accept("_") ? Value() : value());
      while (in_.accept(','));
      in_.expect(')', "or ',' behind an input");
    }
    AttrRecord attributes;
    std::vector<Token> keys;
    if (in_.next_is('{'))
      attributes =
          text::read_record(in_, depth_, &keys, [&](int depth) { return Parser(*this, depth + 1).parse_inner(); });
    in_.expect(':', "and the output types");
    const Token types_at = in_.peek();
    const std::vector<Type> types = text::read_types(in_);
    if (in_.accept("for")) {
      if (in_.peek().kind != Token::label) in_.unexpected("the label of the forward node");
      origin.forward = value().node_id();
    }
    const Location at = location(label);

    std::vector<Type> input_types;
    for (const Value& v : inputs) input_types.push_back(v ? v.type() : Type::absent());
    const std::string op_name = op.kind == Token::word ? std::string(op.raw) : op.value;
    Op made_op = make(label, op_name, attributes, keys, std::move(input_types), types);
    checked(label, [&] {
      const OriginGuard guard(*graph_, origin);
      graph_->append(std::move(made_op), inputs, at);
    });
    const Node made = graph_->node(graph_->size() - 1);
    const Types inferred = made.output_types();
    if (!std::equal(types.begin(), types.end(), inferred.begin(), inferred.end()))
      in_.fail(types_at,
               "the text says " + to_string(Types(types)) + ", but " + op_name + " gives " + to_string(inferred));
    define(label, made);
  }

  // An op that the catalogue lacks, or that holds one which it lacks, keeps its text. `keys` are where the attributes'
  // names stand: a fault of one is told there.
  Op make(const Token& label, const std::string& op, const AttrRecord& attributes, const std::vector<Token>& keys,
          std::vector<Type> inputs, std::vector<Type> outputs) {
    try {
      if (const Catalog::Entry* known = catalog_.find(op)) return known->make(attributes, catalog_);
    } catch (const UnknownOp&) {
    } catch (const AttributeError& e) {
      std::size_t i = 0;
      while (i < keys.size() && attributes[i].first != e.key()) ++i;
      in_.fail(i < keys.size() ? keys[i] : label, e.what());
    } catch (const Error& e) {
      in_.fail(label, e.what());
    }
    return Opaque({op, attributes, std::move(inputs), std::move(outputs)});
  }

  // Where a node was built: what the text says, or else the text itself.
  Location location(const Token& label) {
    if (!in_.accept("at")) return {file_, label.line};
    if (in_.accept("unknown")) return {};
    const Token name = in_.expect(Token::string, "a file's name or \"unknown\"");
    in_.expect(':', "and the line in that file");
    const Token at = in_.peek();
    const std::int64_t line = text::read_integer(in_, "a line");
    if (line < 1 || line > UINT32_MAX) in_.fail(at, "a line is 1 to " + std::to_string(UINT32_MAX));
    return {graph_->intern(name.value), static_cast<std::uint32_t>(line)};
  }

  void define(const Token& label, Node made) {
    definitions_.push_back(label);
    if (label.value.empty()) {
      if (!numbered_.try_emplace(label.raw, made.id()).second)
        in_.fail(label, std::string(label.raw) + " is defined above already");
      return;
    }
    const std::string& scope = made.origin().scope.str();
    const bool inside = scope.empty() || (label.value.starts_with(scope) && label.value[scope.size()] == '/');
    const std::string own = inside && !scope.empty() ? label.value.substr(scope.size() + 1) : label.value;
    if (!inside || own.find('/') != std::string::npos)
      in_.fail(label, "the name \"" + label.value + "\" does not belong below the heading of scope \"" + scope + "\"");
    checked(label, [&] { graph_->name(made.id(), own); });
  }

  // "%x", "%12", "%12#1".
  Value value() {
    const Token label = in_.expect(Token::label, "a value (\"%\" and its label)");
    NodeId id = -1;
    if (label.value.empty()) {
      if (const auto place = numbered_.find(label.raw); place != numbered_.end()) id = place->second;
    } else if (const auto found = graph_->find(label.value)) {
      id = found->id();
    }
    if (id < 0) in_.fail(label, "there is no node " + std::string(label.raw) + " above");
    const int output = std::max(label.output, 0), count = graph_->node(id).output_count();
    if (output >= count)
      in_.fail(label, "there is no output " + std::to_string(output) + " of " +
                          std::string(graph_->node(id).op().name()) + ", which has " + std::to_string(count));
    return graph_->node(id).output(output);
  }

  // What the graph refuses is told with the place in the text.
  template <class F>
  void checked(const Token& at, F&& f) {
    try {
      f();
    } catch (const Error& e) {
      in_.fail(at, e.what());
    }
  }

  Lexer& in_;
  const Catalog& catalog_;
  std::unique_ptr<Graph> graph_;
  const char* file_;
  int depth_ = 0;                                          // of the attributes that its text stands among
  std::unordered_map<std::string_view, NodeId> numbered_;  // the labels that are numbers, as they are in the text
  std::vector<Token> definitions_;                         // of each node, for messages
};

}  // namespace

std::unique_ptr<Graph> parse(std::string_view text, const Catalog& catalog, std::string_view file) {
  return with_own_errors("cannot read", file, [&] {
    Lexer in(text, file);
    return Parser(in, catalog, file).parse();
  });
}

}  // namespace oxbow
