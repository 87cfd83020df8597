// A model's variables, to and from safetensors.
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/optim/model/state.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <unordered_map>
#include <unordered_set>

namespace oxbow {
using namespace internal;
using namespace optim::internal;

namespace {

// How far fit is: epoch, samples, seed and minibatches, and within an epoch the sums of its results.
constexpr const char *position_key = "fit/position", *sums_key = "fit/sums";
// What early stopping has seen: the best result, whose name is in the metadata; its epoch and how many came after it;
// position and variables at the best epoch's end.
constexpr const char *best_key = "fit/early_stopping/best", *epochs_key = "fit/early_stopping/epochs",
                     *best_position_key = "fit/early_stopping/position";
constexpr std::string_view best_variables = "fit/early_stopping/variables/";
// The numbers that were asked for as learning rates, NaN for a schedule.
constexpr const char* rates_key = "fit/learning_rates";

double asked_number(const optim::StepRate& r) {
  return r.rate.constant().value_or(std::numeric_limits<double>::quiet_NaN());
}

// What fit keeps beside the variables, as far as a file has it.
struct FitState {
  std::optional<Position> position, best_position;
  std::vector<double> sums, rates;
  std::optional<double> best;
  std::pair<std::int64_t, std::int64_t> epochs;
  std::vector<std::pair<std::string_view, const Tensor*>> variables;

  // False for what is none of it: a model's own variable may have such a name, but not such a type too.
  bool take(std::string_view name, const Tensor& t) {
    const auto is_list = [&](DType dtype, std::int64_t count) { return t.dtype() == dtype && t.count() == count; };
    const auto as_position = [&] {
      const auto* p = t.data<std::int64_t>();
      return Position{.epoch = p[0], .samples = p[1], .seed = p[2], .minibatches = p[3]};
    };
    if (name == position_key && is_list(i64, 4))
      position = as_position();
    else if (name == best_position_key && is_list(i64, 4))
      best_position = as_position();
    else if (name == sums_key && t.dtype() == f64)
      sums.assign(t.data<double>(), t.data<double>() + t.count());
    else if (name == rates_key && t.dtype() == f64)
      rates.assign(t.data<double>(), t.data<double>() + t.count());
    else if (name == best_key && is_list(f64, 1))
      best = t.data<double>()[0];
    else if (name == epochs_key && is_list(i64, 2))
      epochs = {t.data<std::int64_t>()[0], t.data<std::int64_t>()[1]};
    else if (name.starts_with(best_variables))
      variables.emplace_back(name.substr(best_variables.size()), &t);
    else
      return false;
    return true;
  }
};

Tensor to_tensor(const Position& p) {
  return Tensor::of<std::int64_t>({4}, {p.epoch, p.samples, p.seed, p.minibatches});
}

// As far as a training can count: epochs in an int, whose last one ends where another would begin, and minibatches in a
// column of doubles.
bool is_valid(const Position& p) {
  constexpr std::int64_t last_epoch = std::numeric_limits<int>::max(), most_minibatches = std::int64_t{1} << 53;
  return p.epoch >= 1 && p.epoch <= last_epoch + 1 && p.samples >= 0 && p.minibatches >= 0 &&
         p.minibatches <= most_minibatches;
}

void add_watched(Safetensors& content, const Watched& w) {
  content.metadata[best_key] = w.monitor;
  content.tensors.emplace_back(best_key, Tensor::scalar(w.best));
  content.tensors.emplace_back(epochs_key, Tensor::of<std::int64_t>({2}, {w.best_epoch, w.waited}));
  if (!w.best_state) return;
  const auto& [store, position] = *w.best_state;
  content.tensors.emplace_back(best_position_key, to_tensor(position));
  for (const std::string& name : store.names())
    content.tensors.emplace_back(std::string(best_variables) + name, store.get(name));
}

// Early stopping as it was, from a file with it; `best` is a copy of the variables, for those of the best epoch.
Watched to_watched(const FitState& p, const Safetensors& content, std::optional<Store> best) {
  const auto monitor = content.metadata.find(best_key);
  const std::int64_t epochs_done = p.position ? p.position->epoch - 1 : 0;
  if (monitor == content.metadata.end() || p.epochs.first < 0 || p.epochs.second < 0 ||
      std::max(p.epochs.first, p.epochs.second) > epochs_done || p.best_position.has_value() == p.variables.empty() ||
      (p.best_position && !is_valid(*p.best_position)))
    throw Error("what it says about early stopping is incomplete");
  Watched w{.monitor = monitor->second,
            .best = *p.best,
            .best_epoch = static_cast<int>(p.epochs.first),
            .waited = static_cast<int>(p.epochs.second)};
  if (!best) return w;
  for (const auto& [name, tensor] : p.variables) best->set(name, *tensor);
  w.best_state.emplace(std::move(*best), *p.best_position);
  return w;
}

// The values that a file gives variables, by name.
using NamedTensors = std::vector<std::pair<std::string_view, Tensor>>;

// Puts the rates that were asked for into the place of the file's, where its training was asked for others.
Restored keep_asked_rates(const std::vector<optim::StepRate>& rates, std::span<const double> of_file,
                          NamedTensors& values) {
  Restored left_out;
  for (std::size_t i = 0; i < std::min(rates.size(), of_file.size()); ++i) {
    const auto asked = rates[i].rate.constant();
    if (!asked || *asked == of_file[i]) continue;
    for (auto& [name, value] : values) {
      if (name != variable_of(rates[i].variable).name) continue;
      if (i == 0 && !std::isnan(of_file[i])) left_out.other_rate = value.item<double>();
      value = Tensor::scalar(*asked);
    }
  }
  return left_out;
}

}  // namespace

void Model::save(const std::string& path, Saved what) const {
  while_memory_lasts("saving a model", [&] { save_safetensors(path, state_->content(what)); });
}

Safetensors Model::State::content(Saved what) const {
  Safetensors content;
  const auto add = [&](const std::vector<Value>& variables) {
    for (const Value& v : variables) content.tensors.emplace_back(variable_of(v).name, store.get(v));
  };
  add(parameters);
  const auto number = [&](const Value& v) { return store.get(v).item<std::int64_t>(); };
  if (what == Saved::averages && number(step.step) > 0) {
    for (std::size_t i = 0; i < step.parameters.size(); ++i)
      for (auto& [name, tensor] : content.tensors)
        if (name == variable_of(step.parameters[i]).name) tensor = store.get(step.averages[i]);
    if (!step.statistics.empty() && number(step.refreshed_at) == number(step.step))
      for (const optim::Statistic& s : step.statistics)
        for (auto& [name, tensor] : content.tensors)
          if (name == variable_of(s.running).name) tensor = store.get(s.refreshed);
  }
  if (what == Saved::training) {
    add(step.state);
    const std::vector<optim::StepRate>& rates = step.rates;
    std::vector<double> asked;
    std::transform(rates.begin(), rates.end(), std::back_inserter(asked), asked_number);
    content.tensors.emplace_back(rates_key, Tensor::of<double>({static_cast<std::int64_t>(asked.size())}, asked));
    const Position& p = position;
    content.tensors.emplace_back(position_key, to_tensor(p));
    if (p.samples > 0)
      content.tensors.emplace_back(sums_key, Tensor::of<double>({static_cast<std::int64_t>(p.sums.size())}, p.sums));
    if (watched) add_watched(content, *watched);
  }
  return content;
}

Restored Model::load(const std::string& path) {
  return while_memory_lasts("loading a model", [&] { return state_->load(path); });
}

Restored Model::State::load(const std::string& path) {
  const Safetensors content = load_safetensors(path);
  const auto fail = [&](const std::string& problem) {
    throw Error(path + " does not fit the model: " + problem + (problem.ends_with("?") ? "" : ".") +
                " Nothing was changed");
  };
  std::unordered_map<std::string_view, const ops::Variable*> variables;
  std::unordered_set<std::string_view> training_only, given;
  std::vector<std::string> known;
  for (const Value& v : parameters) variables.emplace(variable_of(v).name, &variable_of(v));
  for (const Value& v : step.state)
    if (variables.emplace(variable_of(v).name, &variable_of(v)).second) training_only.insert(variable_of(v).name);
  for (const auto* list : {&parameters, &step.state})
    for (const Value& v : *list) known.push_back(variable_of(v).name);

  bool has_state = false;
  FitState progress;
  NamedTensors values;
  for (const auto& [name, tensor] : content.tensors) {
    if (progress.take(name, tensor)) continue;
    values.emplace_back(name, tensor);
    const auto found = variables.find(name);
    if (found == variables.end()) {
      const std::string near = did_you_mean(name, known);
      fail("it has " + in_quotes(name) + ", which the model lacks" + (near.empty() ? "" : "." + near));
    }
    const ops::Variable* v = found->second;
    if (v->type.dtype != tensor.dtype() || v->type.shape != tensor.shape())
      fail(in_quotes(name) + " is " + to_string(tensor.type()) + " there and " + to_string(v->type) + " in the model");
    if (store.frozen(name)) fail(in_quotes(name) + " is frozen in the model");
    given.insert(name);
    has_state |= training_only.contains(name);
  }
  const auto require = [&](const std::vector<Value>& needed) {
    for (const Value& v : needed)
      if (!given.contains(variable_of(v).name)) fail("it lacks " + in_quotes(variable_of(v).name));
  };
  if (progress.position) {
    Position& p = *progress.position;
    p.sums = std::move(progress.sums);
    if (!is_valid(p) || (p.samples > 0 && p.sums.size() != names.size()))
      fail("its " + in_quotes(position_key) + " is not valid");
  }
  std::optional<Watched> early_stopping;
  if (progress.best) {
    std::optional<Store> best;
    if (progress.best_position) best = store.snapshot();
    try {
      early_stopping = to_watched(progress, content, std::move(best));
    } catch (const Error& e) {
      fail(e.what());
    }
  }
  require(parameters);
  if (has_state) require(step.state);
  const Restored restored = keep_asked_rates(step.rates, progress.rates, values);
  for (const auto& [name, tensor] : values) store.set(name, tensor);  // from here on nothing fails
  if (progress.position) {
    position = std::move(*progress.position);
    watched = std::move(early_stopping);
  }
  return restored;
}

}  // namespace oxbow
