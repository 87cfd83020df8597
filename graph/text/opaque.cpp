#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/text/opaque.h>

namespace oxbow::internal {
namespace {

std::string unknown(const std::string& name) { return "the op " + in_quotes(name) + " is not in the catalogue"; }
const char* const remedy =
    "Add the op to the catalogue that the graph is read with. If an older Oxbow wrote the text, build its graph again";

}  // namespace

Opaque::Opaque(Text t)
    : text(std::make_shared<const Text>(std::move(t))),
      info{.name = text->name, .inputs = {"x?..."}, .outputs = {"y..."}, .any_layout = true, .effect = true} {}

std::vector<Type> Opaque::infer(Types in) const {
  if (!std::equal(in.begin(), in.end(), text->inputs.begin(), text->inputs.end()))
    throw OpError(unknown(text->name) + ", so its outputs are known for inputs of type " +
                      to_string(Types(text->inputs)) + " only, not for " + to_string(in),
                  remedy);
  return text->outputs;
}

std::vector<Value> Opaque::lower(Values) const {
  throw OpError(unknown(text->name) + ", so it cannot be compiled", remedy);
}

Grads Opaque::gradient(const Node&, Values) const { return NotDifferentiable{unknown(text->name)}; }

bool Opaque::operator==(const Opaque& other) const {
  return text->name == other.text->name && text->inputs == other.text->inputs && text->outputs == other.text->outputs &&
         same_bits(AttrValue(text->attributes), AttrValue(other.text->attributes));
}

}  // namespace oxbow::internal
