// A model's variables, to and from safetensors.
#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/model/state.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <limits>

namespace oxbow {
namespace {

const Variable& recipe(Value v) { return *v.node().op().as<Variable>(); }

// How far fit is: epoch, samples, seed and minibatches, and amid an epoch the sums of its results.
constexpr const char *position_key = "fit/position", *sums_key = "fit/sums";

bool is_position(const std::string& name, const Tensor& tensor) {
  return (name == position_key && tensor.dtype() == i64 && tensor.count() == 4) ||
         (name == sums_key && tensor.dtype() == f64);
}

}  // namespace

void Model::save(const std::string& path, Saved what) const {
  Safetensors content;
  const auto add = [&](const std::vector<Value>& variables) {
    for (const Value& v : variables) content.tensors.emplace_back(recipe(v).name, state_->store.get(recipe(v).name));
  };
  add(state_->parameters);
  if (what == Saved::averages && steps() > 0) {
    const optim::Minimized& step = state_->step;
    for (std::size_t i = 0; i < step.parameters.size(); ++i)
      for (auto& [name, tensor] : content.tensors)
        if (name == recipe(step.parameters[i]).name) tensor = state_->store.get(recipe(step.averages[i]).name);
  }
  if (what == Saved::training) {
    add(state_->step.state);
    const Position& p = state_->position;
    content.tensors.emplace_back(position_key,
                                 Tensor::of<std::int64_t>({4}, {p.epoch, p.samples, p.seed, p.minibatches}));
    if (p.samples > 0)
      content.tensors.emplace_back(sums_key, Tensor::of<double>({static_cast<std::int64_t>(p.sums.size())}, p.sums));
  }
  save_safetensors(path, content);
}

void Model::load(const std::string& path) {
  const Safetensors content = load_safetensors(path);
  const auto fail = [&](const std::string& problem) {
    throw Error(path + " does not fit the model: " + problem + (problem.ends_with("?") ? "" : ".") +
                " Nothing was changed");
  };
  const auto is_of = [](const std::string& name) { return [&name](Value v) { return recipe(v).name == name; }; };
  const auto find = [&](const std::string& name) -> const Variable* {
    for (const auto* list : {&state_->parameters, &state_->step.state})
      if (const auto v = std::find_if(list->begin(), list->end(), is_of(name)); v != list->end()) return &recipe(*v);
    return nullptr;
  };

  bool has_state = false;
  std::optional<Position> position;
  std::vector<std::string> known;
  for (const auto* list : {&state_->parameters, &state_->step.state})
    for (const Value& v : *list) known.push_back(recipe(v).name);
  for (const auto& [name, tensor] : content.tensors) {
    if (is_position(name, tensor)) {
      if (!position) position.emplace();
      if (name == sums_key) {
        position->sums.assign(tensor.data<double>(), tensor.data<double>() + tensor.count());
      } else {
        const auto* p = tensor.data<std::int64_t>();
        position->epoch = p[0];
        position->samples = p[1];
        position->seed = p[2];
        position->minibatches = p[3];
      }
      continue;
    }
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
  if (position &&
      (position->epoch < 1 || position->epoch > std::numeric_limits<int>::max() || position->samples < 0 ||
       position->minibatches < 0 || (position->samples > 0 && position->sums.size() != state_->names.size())))
    fail("its " + in_quotes(position_key) + " is none");
  require(state_->parameters);
  if (has_state) require(state_->step.state);
  for (const auto& [name, tensor] : content.tensors)
    if (!is_position(name, tensor)) state_->store.set(name, tensor);
  if (position) state_->position = *position;
}

}  // namespace oxbow
