#include <oxbow/graph/catalog.h>
#include <oxbow/graph/graph.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/graph/support/same_nodes.h>
#include <oxbow/graph/text.h>
#include <oxbow/graph/text/number.h>

namespace oxbow {
using namespace internal;

namespace {

using text::append_number;
using text::append_quoted;

void append_word(std::string& out, std::string_view word) {
  if (text::is_word(word))
    out += word;
  else
    append_quoted(out, word);
}

// How a graph stands among an op's attributes: on lines of its own, indented further, or on the one line.
struct TextLayout {
  int indent = -1;  // -1: on one line
  bool locations = false;
};
void append_sections(std::string& out, const Graph& graph, const TextLayout& layout);

void append(std::string& out, const AttrValue& value, const TextLayout& layout = {}) {
  if (const auto* b = std::get_if<bool>(&value)) {
    append_number(out, *b);
  } else if (const auto* i = std::get_if<std::int64_t>(&value)) {
    append_number(out, *i);
  } else if (const auto* d = std::get_if<double>(&value)) {
    append_number(out, *d);
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    append_quoted(out, *s);
  } else if (const auto* dtype = std::get_if<DType>(&value)) {
    out += name(*dtype);
  } else if (const auto* type = std::get_if<Type>(&value)) {
    out += to_string(*type);
  } else if (const auto* tensor = std::get_if<Tensor>(&value)) {
    text::append_tensor(out, *tensor);
  } else if (const auto* list = std::get_if<AttrList>(&value)) {
    out += '[';
    for (const AttrValue& e : *list) {
      if (&e != list->data()) out += ", ";
      append(out, e, layout);
    }
    out += ']';
  } else if (const auto* graph = std::get_if<std::shared_ptr<const Graph>>(&value)) {
    out += "graph {";
    TextLayout inner = layout;
    if (layout.indent >= 0) inner.indent += 4;
    append_sections(out, **graph, inner);
    if (layout.indent >= 0) out += std::string(static_cast<std::size_t>(layout.indent + 2), ' ');
    out += '}';
  } else {
    const auto& record = std::get<AttrRecord>(value);
    out += '{';
    for (const auto& field : record) {
      if (&field != record.data()) out += ", ";
      append_word(out, field.first);
      out += ": ";
      append(out, field.second, layout);
    }
    out += '}';
  }
}

// Needs no quotes behind the '%': begins like a word, and cannot be taken for a number or run into what follows.
bool is_plain_label(std::string_view name) {
  return text::is_word(name.substr(0, 1)) && name.find_first_not_of(
                                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                 "0123456789_./-") == std::string_view::npos;
}

void append_label(std::string& out, Node n) {
  out += '%';
  if (n.name().empty()) {
    append_number(out, std::int64_t{n.id()});
  } else if (const std::string full = n.full_name(); is_plain_label(full)) {
    out += full;
  } else {
    append_quoted(out, full);
  }
}

void append_value(std::string& out, const Value& v) {
  if (!v) {
    out += '_';
    return;
  }
  append_label(out, v.node());
  if (v.output() != 0) out += "#" + std::to_string(v.output());
}

void append_node(std::string& out, Node n, const TextLayout& options) {
  append_label(out, n);
  out += " = ";
  append_word(out, n.op().name());
  int inputs = n.input_count();  // without absent ones at the end
  while (inputs > 0 && !n.input(inputs - 1)) --inputs;
  for (int i = 0; i < inputs; ++i) {
    out += i == 0 ? "(" : ", ";
    append_value(out, n.input(i));
  }
  if (inputs > 0) out += ')';
  if (AttrRecord attributes = n.op().attributes(); !attributes.empty()) {
    out += ' ';
    append(out, std::move(attributes), options);
  }
  out += " : " + (n.output_count() == 0 ? "none" : to_string(n.output_types()));
  const Origin& origin = n.origin();
  if (origin.forward >= 0) {
    out += " for ";
    append_label(out, n.graph().node(origin.forward));
  }
  if (options.locations) {
    out += " at ";
    if (origin.at.known()) append_quoted(out, origin.at.file);
    out += origin.at.known() ? ":" + std::to_string(origin.at.line) : "unknown";
  }
}

// Nodes under their headings, outputs, updates.
void append_sections(std::string& out, const Graph& graph, const TextLayout& layout) {
  const bool whole = layout.indent == 0;  // a text of its own: a blank line before each heading
  const auto heading = [&](const std::string& text) {
    if (whole) out += '\n';
    if (layout.indent > 0 && out.back() != '\n') out += '\n';
    out += layout.indent >= 0  ? std::string(static_cast<std::size_t>(layout.indent), ' ')
           : out.back() == '{' ? ""
                               : " ";
    out += text;
    if (layout.indent >= 0) out += '\n';
  };
  const auto line = [&](auto&& write) {
    out += layout.indent >= 0 ? std::string(static_cast<std::size_t>(layout.indent) + 2, ' ') : " ";
    write();
    if (layout.indent >= 0) out += '\n';
  };
  const Origin* last = nullptr;
  for (NodeId i = 0; i < graph.size(); ++i) {
    const Node n = graph.node(i);
    const Origin& origin = n.origin();
    if (!last || last->phase != origin.phase || last->scope != origin.scope) {
      std::string text(name(origin.phase));
      if (!origin.scope.empty()) {
        text += ' ';
        append_quoted(text, origin.scope);
      }
      heading(text + ":");
      last = &origin;
    }
    line([&] { append_node(out, n, layout); });
  }
  if (!graph.outputs().empty()) heading("outputs:");
  for (const auto& [output, value] : graph.outputs())
    line([&] {
      append_quoted(out, output);
      out += " = ";
      append_value(out, value);
    });
  if (!graph.updates().empty()) heading("updates:");
  for (const Value& value : graph.updates()) line([&] { append_value(out, value); });
}

}  // namespace

std::string label(const Value& value) {
  std::string out;
  append_value(out, value);
  return out;
}

std::string print(const AttrValue& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string print(const Graph& graph, PrintOptions options) {
  return while_memory_lasts("printing a graph", [&] {
    std::string out = "oxbow graph 1\nseed ";
    append(out, to_attr(graph.seed()));
    out += "\nnext_stream " + std::to_string(graph.peek_stream()) + "\n";
    append_sections(out, graph, {.indent = 0, .locations = options.locations});
    if (!options.plan_follows) out += "\nend\n";
    return out;
  });
}

bool equal(const Graph& a, const Graph& b) {
  return a.seed() == b.seed() && a.peek_stream() == b.peek_stream() && same_nodes(a, b) &&
         std::equal(a.updates().begin(), a.updates().end(), b.updates().begin(), b.updates().end(), same_place) &&
         std::equal(a.outputs().begin(), a.outputs().end(), b.outputs().begin(), b.outputs().end(),
                    [](const auto& x, const auto& y) { return x.first == y.first; });
}

}  // namespace oxbow
