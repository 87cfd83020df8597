#include <oxbow/graph/graph.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/storage.h>
#include <oxbow/graph/support/utf8.h>

namespace oxbow {

std::string_view name(Phase phase) {
  constexpr std::string_view names[] = {"forward", "backward", "update"};
  return names[static_cast<std::size_t>(phase)];
}

SharedText::SharedText(std::string text)
    : text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}

const std::string& SharedText::str() const {
  static const std::string none;
  return text_ ? *text_ : none;
}

std::string Origin::scoped(std::string_view name) const {
  return scope.empty() ? std::string(name) : scope.str() + "/" + std::string(name);
}

Value Value::named(std::string_view name) const {
  graph_->name(node_, name);
  return *this;
}

const Op& Node::op() const { return graph_->at(id_).op; }
const std::string& Node::name() const { return graph_->at(id_).name.str(); }
std::string Node::full_name() const {
  return origin().scoped(name().empty() ? std::string(op().name()) + "_" + std::to_string(id_) : name());
}
std::string to_string(const Node& node) { return internal::escaped(node.full_name()); }
const Origin& Node::origin() const { return graph_->at(id_).origin; }
std::vector<Value> Node::inputs() const {
  std::vector<Value> values;
  values.reserve(static_cast<std::size_t>(input_count()));
  for (int i = 0; i < input_count(); ++i) values.push_back(input(i));
  return values;
}
std::vector<Type> Node::input_types() const {
  std::vector<Type> types;
  types.reserve(static_cast<std::size_t>(input_count()));
  for (int i = 0; i < input_count(); ++i) types.push_back(input_type(i));
  return types;
}
Value Node::output(std::string_view name) const {
  const Names& names = op().info().outputs;
  std::vector<std::string> known;
  for (int i = 0; i < output_count(); ++i) {
    known.push_back(names.of(i));
    if (known.back() == name) return output(i);
  }
  throw Error(to_string(*this) + " has no output " + internal::in_quotes(name) +
              "\n  Its outputs: " + internal::listed(known));
}

}  // namespace oxbow
