// A model's variables, to and from safetensors.
#include <oxbow/graph/near_names.h>
#include <oxbow/optim/model_state.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>

namespace oxbow {
namespace {

const Variable& recipe(Value v) { return *v.node().op().as<Variable>(); }

std::string in_quotes(const std::string& name) { return "\"" + name + "\""; }

}  // namespace

void Model::save(const std::string& path, Saved what) const {
  Safetensors content;
  const auto add = [&](const std::vector<Value>& variables) {
    for (const Value& v : variables) content.tensors.emplace_back(recipe(v).name, state_->store.get(recipe(v).name));
  };
  add(state_->parameters);
  if (what == Saved::training) add(state_->step.state);
  save_safetensors(path, content);
}

void Model::load(const std::string& path) {
  const Safetensors content = load_safetensors(path);
  const auto fail = [&](const std::string& problem) {
    throw Error(path + " does not fit the model: " + problem + ". Nothing was changed");
  };
  const auto is_of = [](const std::string& name) { return [&name](Value v) { return recipe(v).name == name; }; };
  const auto find = [&](const std::string& name) -> const Variable* {
    for (const auto* list : {&state_->parameters, &state_->step.state})
      if (const auto v = std::find_if(list->begin(), list->end(), is_of(name)); v != list->end()) return &recipe(*v);
    return nullptr;
  };

  bool has_state = false;
  std::vector<std::string> known;
  for (const auto* list : {&state_->parameters, &state_->step.state})
    for (const Value& v : *list) known.push_back(recipe(v).name);
  for (const auto& [name, tensor] : content.tensors) {
    const Variable* v = find(name);
    if (v == nullptr) fail("it has " + in_quotes(name) + ", which the model lacks." + did_you_mean(name, known));
    if (v->type.dtype != tensor.dtype() || v->type.shape != tensor.shape())
      fail(in_quotes(name) + " is " + to_string(tensor.type()) + " there and " + to_string(v->type) + " in the model");
    if (state_->store.frozen(name)) fail(in_quotes(name) + " is frozen in the model");
    has_state |= std::any_of(state_->step.state.begin(), state_->step.state.end(), is_of(name));
  }
  const auto require = [&](const std::vector<Value>& variables) {
    for (const Value& v : variables)
      if (std::none_of(content.tensors.begin(), content.tensors.end(),
                       [&](const auto& t) { return t.first == recipe(v).name; }))
        fail("it lacks " + in_quotes(recipe(v).name));
  };
  require(state_->parameters);
  if (has_state) require(state_->step.state);
  for (const auto& [name, tensor] : content.tensors) state_->store.set(name, tensor);
}

}  // namespace oxbow
