#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/graph/updates.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/store_activations.h>
#include <oxbow/optim/model/state.h>

#include <algorithm>

namespace oxbow {
using namespace internal;
using namespace optim::internal;

namespace {

[[noreturn]] void fail(const std::string& what, At at, const std::string& remedy) {
  throw Error("compile: " + what + at_line(at) + "\n  " + remedy);
}

void check(Value loss, const ModelOptions& options, At at) {
  if (!loss) fail("the loss is an empty Value", at, "Build it first");
  for (const auto& [name, value] : options.metrics) {
    const std::string metric = "metric " + in_quotes(name);
    if (!value || &value.graph() != &loss.graph())
      fail(metric + " is not a value of the loss's graph", at, "Build it there");
    if (value.rank() != 0)
      fail(metric + " is " + to_string(value.type()) + ", not a scalar", at,
           "Take its mean over the batch: mean(value)");
    const auto same = [&](const Metric& m) { return m.name == name; };
    if (name.empty() || name == "loss" || std::count_if(options.metrics.begin(), options.metrics.end(), same) > 1)
      fail(metric + " needs a name of its own", at, "\"loss\" is the loss's");
  }
  const Value p = options.predictions;
  if (p && (&p.graph() != &loss.graph() || p.rank() == 0))
    fail("predictions are no value of the loss's graph with an axis for the samples", at,
         "Give the logits, for instance");
}

Tensor converted(const Tensor& t, DType dtype) {
  if (t.dtype() == dtype) return t;
  Tensor out({dtype, t.shape()});
  std::transform(t.span<double>().begin(), t.span<double>().end(), out.data<float>(),
                 [](double v) { return static_cast<float>(v); });
  return out;
}

void name_output(Graph& graph, const std::string& name, Value value) {
  const auto& outputs = graph.outputs();
  if (std::none_of(outputs.begin(), outputs.end(), [&](const auto& o) { return o.first == name; }))
    graph.add_output(name, value);
}

}  // namespace

Model compile(Value loss, const optim::Optimizer& optimizer, ModelOptions options, At at) {
  return while_memory_lasts("compiling a model",
                            [&] { return Model::State::build(loss, optimizer, std::move(options), at); });
}

Model Model::State::build(Value loss, const optim::Optimizer& optimizer, ModelOptions options, At at) {
  check(loss, options, at);
  const Rewritten copied = copy_of(loss.graph());
  auto state = std::make_unique<Model::State>();
  state->graph = copied.graph;
  state->names = {"loss"};
  state->scalars = {copied(loss)};
  for (const auto& [name, value] : options.metrics) {
    state->names.push_back(name);
    state->scalars.push_back(copied(value));
  }
  for (std::size_t i = 0; i < state->names.size(); ++i) name_output(*state->graph, state->names[i], state->scalars[i]);
  if (options.predictions) {
    state->predictions = copied(options.predictions);
    name_output(*state->graph, "predictions", state->predictions);
  }

  state->parameters = variables(*state->graph, false);
  state->accumulate = options.minimize.accumulate;
  for (Value& p : options.minimize.parameters)
    if (p && &p.graph() == &loss.graph()) p = copied(p);
  if (Value& n = options.minimize.samples; n && &n.graph() == &loss.graph()) n = copied(n);
  state->step = optim::minimize(state->scalars[0], optimizer, std::move(options.minimize), at);
  state->fetches = state->gathering = state->scalars;
  for (const optim::Recorded& r : state->step.recorded) state->fetches.push_back(r.value);
  state->fetches.insert(state->fetches.end(), state->step.updates.begin(), state->step.updates.end());
  state->gathering.insert(state->gathering.end(), state->step.gathering.begin(), state->step.gathering.end());
  state->average();
  // The graph is the whole step's, so that its text and its pictures are: not of inference alone.
  const std::vector<Value> layers = last_updates(*state->graph);
  for (const Value& f : state->fetches)
    if (f.node().op().is<ops::Assign>() &&
        std::none_of(layers.begin(), layers.end(), [&](Value u) { return u.same(f); }))
      state->graph->add_update(f);
  if (options.activations) {
    std::vector<Value> all = state->fetches;
    all.insert(all.end(), state->gathering.begin(), state->gathering.end());
    StoredActivations made = store_activations(all, *options.activations, at);
    const auto middle = made.fetches.begin() + std::ssize(state->fetches);
    state->fetches.assign(made.fetches.begin(), middle);
    state->gathering.assign(middle, made.fetches.end());
    state->stored = std::move(made.graph);
  }
  state->options.pool = options.pool;
  state->options.disable = options.disable;
  state->options.numerics = options.numerics;
  state->options.memory_budget = options.memory_budget;
  if (options.store) state->store = *options.store;
  state->store.add(*state->graph);
  return Model(std::move(state));
}

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Runner& Model::State::trainer() {
  if (!training) training.emplace("fit", compile(fetches, options), store, *graph);
  return *training;
}

Runner& Model::State::gather() {
  if (!gatherer) gatherer.emplace("fit", compile(gathering, options), store, *graph);
  return *gatherer;
}

// The forward graph once more, with the average of each parameter in its place; until a first step there is none.
void Model::State::average() {
  evaluated = scalars;
  predicted = predictions;
  std::vector<std::size_t> replaced;
  for (std::size_t i = 0; i < step.parameters.size(); ++i)
    if (!step.averages[i].same(step.parameters[i])) replaced.push_back(i);
  if (replaced.empty()) return;
  Rewriter r(*graph);
  const Value count = r.copy(step.step.node()).output();
  for (const std::size_t i : replaced) {
    const Value p = r.copy(step.parameters[i].node()).output(), average = r.copy(step.averages[i].node()).output();
    r.map(step.parameters[i], where(equal(count, 0.0), p, average));
  }
  if (!step.statistics.empty()) {
    const Value of_step = r.copy(step.refreshed_at.node()).output(), stepped = greater(count, 0.0);
    const Value fresh = logical_and(stepped, equal(of_step, count));
    for (const optim::Statistic& s : step.statistics) {
      const Value running = r.copy(s.running.node()).output(), refreshed = r.copy(s.refreshed.node()).output();
      r.map(s.running, where(fresh, refreshed, running));
    }
  }
  NodeId last = predictions ? predictions.node_id() : 0;
  for (const Value& s : scalars) last = std::max(last, s.node_id());
  for (NodeId i = 0; i <= last; ++i)
    if (const Node n = graph->node(i); n.output_count() > 0 && !r.mapped(n.output())) r.copy(n);
  for (Value& s : evaluated) s = r(s);
  for (const optim::Statistic& s : step.statistics)
    for (const Value& batch : s.batches) of_batch.push_back(r(batch));
  if (predicted) predicted = r(predicted);
  averaged = r.finish({}).graph;
}

// In one run, so that all schedules hear of an epoch or none.
void Model::State::observe(const Results& results) {
  if (step.observers.empty()) return;
  std::vector<Value> updates;
  std::vector<std::pair<const std::string*, double>> feeds;  // whose numbers the run reads in place
  const std::string common = results.contains("val_loss") ? "val_loss" : "loss";
  for (const optim::Observer& o : step.observers) {
    updates.insert(updates.end(), o.updates.begin(), o.updates.end());
    for (const auto& r : o.results) feeds.emplace_back(&r.input, results[r.monitor.empty() ? common : r.monitor]);
  }
  if (!observing) observing.emplace(compile(updates, options), store);
  for (const auto& [input, value] : feeds) observing->feed(*input, std::span<const double>(&value, 1));
  observing->run();
}

// The batches' statistics in training mode, by the averaged weights, each batch weighing as much as it has samples, and
// the calls of a layer alike.
void Model::State::refresh_statistics(const Dataset& data, std::int64_t batch_size) {
  if (step.statistics.empty()) return;
  if (!refreshing) refreshing.emplace("refresh_statistics", compile(of_batch, options), store, *graph);
  std::vector<std::vector<double>> sums(step.statistics.size());
  refreshing->over(data, batch_size, [&](std::int64_t begin, std::int64_t end) {
    int fetched = 0;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::size_t calls = step.statistics[i].batches.size();
      for (std::size_t call = 0; call < calls; ++call, ++fetched)
        dispatch(of_batch[static_cast<std::size_t>(fetched)].dtype(), [&]<class T>(std::type_identity<T>) {
          const auto batch = refreshing->session().fetch<T>(fetched);
          sums[i].resize(batch.size());
          for (std::size_t k = 0; k < batch.size(); ++k)
            sums[i][k] += static_cast<double>(batch[k]) * static_cast<double>(end - begin) / static_cast<double>(calls);
        });
    }
  });
  std::vector<Tensor> means;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    Tensor mean({f64, {static_cast<std::int64_t>(sums[i].size())}});
    for (std::size_t k = 0; k < sums[i].size(); ++k)
      mean.data<double>()[k] = sums[i][k] / static_cast<double>(data.size());
    means.push_back(converted(mean, step.statistics[i].running.dtype()));
  }
  const Tensor at = store.get(step.step);
  for (std::size_t i = 0; i < means.size(); ++i) store.set(step.statistics[i].refreshed, means[i]);
  store.set(step.refreshed_at, at);
}

CompileOptions Model::State::inference_options() const {
  CompileOptions inference = options;
  inference.mode = Mode::inference;
  inference.numerics = {};
  return inference;
}

Runner& Model::State::evaluator() {
  if (!evaluation) evaluation.emplace("evaluate", compile(evaluated, inference_options()), store, *graph);
  return *evaluation;
}

Runner& Model::State::predictor() {
  if (!predictions)
    throw Error("predict: the model was compiled without predictions. Compile it with {.predictions = logits}, say");
  if (!prediction) prediction.emplace("predict", compile({predicted}, inference_options()), store, *graph);
  return *prediction;
}

Results Model::State::evaluate(const Dataset& data, std::int64_t batch_size, const std::string& prefix) {
  Runner& runner = evaluator();
  Means means(scalars.size());
  runner.over(data, batch_size, [&](std::int64_t begin, std::int64_t end) { means.add(runner, end - begin); });
  Results results;
  for (std::size_t i = 0; i < names.size(); ++i) results.add(prefix + names[i], means[i]);
  return results;
}

void Model::refresh_statistics(const Dataset& data, std::int64_t batch_size) {
  while_memory_lasts("refreshing statistics", [&] { state_->refresh_statistics(data, batch_size); });
}

Results Model::evaluate(const Dataset& data, std::int64_t batch_size) {
  return while_memory_lasts("evaluating", [&] { return state_->evaluate(data, batch_size, ""); });
}

Tensor Model::predict(const Dataset& data, std::int64_t batch_size) {
  return while_memory_lasts("predicting", [&] { return state_->predictor().predict(data, batch_size); });
}

Tensor Model::predict(const Tensor& x, std::int64_t batch_size) {
  return while_memory_lasts("predicting", [&] {
    const std::vector<std::string>& columns = state_->predictor().columns();
    if (columns.size() != 1)
      throw Error("predict: the predictions depend on " + std::to_string(columns.size()) +
                  " inputs, not on one. Give a Dataset with a column for each");
    return state_->predictor().predict(Dataset{{columns[0], x}}, batch_size);
  });
}

std::int64_t Model::steps() const { return state_->store.get(state_->step.step).item<std::int64_t>(); }
std::int64_t Model::minibatches() const { return state_->position.minibatches; }
double Model::learning_rate() const { return state_->store.get(state_->step.rates[0].variable).item<double>(); }

// Groups with an optimizer and a number of their own keep their proportion to the rate.
void Model::set_learning_rate(double rate) {
  while_memory_lasts("setting a learning rate", [&] {
    optim::check_not_negative("set_learning_rate", "the rate", rate);
    const std::vector<optim::StepRate>& rates = state_->step.rates;
    const auto asked = rates[0].rate.constant();
    if (!asked)
      throw Error("set_learning_rate: the rate follows the schedule " + to_string(rates[0].rate) +
                  ". Compile with a number, .learning_rate = 1e-3, to set it by hand");
    std::vector<std::pair<const std::string*, Tensor>> values;
    for (const optim::StepRate& r : rates) {
      const auto own = r.rate.constant();
      if (own && (r.group.empty() || *asked > 0))
        values.emplace_back(&variable_of(r.variable).name,
                            Tensor::scalar(r.group.empty() ? rate : *own * (rate / *asked)));
    }
    for (const auto& [name, value] : values) state_->store.set(*name, value);
  });
}

void Model::set_learning_rate(double rate, std::string_view group) {
  while_memory_lasts("setting a learning rate", [&] {
    optim::check_not_negative("set_learning_rate", "the rate", rate);
    std::vector<std::string> known;
    for (const optim::StepRate& r : state_->step.rates) {
      if (r.group.empty()) continue;
      known.push_back(r.group);
      if (r.group != group) continue;
      if (!r.rate.constant())
        throw Error("set_learning_rate: the rate of the group " + in_quotes(group) + " follows the schedule " +
                    to_string(r.rate) + ". Give its optimizer a number to set it by hand");
      state_->store.set(r.variable, Tensor::scalar(rate));
      return;
    }
    throw Error("set_learning_rate: no parameter group " + in_quotes(group) + " has an optimizer of its own." +
                (known.empty() ? " Without a group it sets the rate of all"
                               : did_you_mean(group, known) + " Those that have: " + listed(known)));
  });
}

const Graph& Model::graph() const { return state_->stored ? *state_->stored : *state_->graph; }
const std::vector<Value>& Model::fetches() const { return state_->fetches; }
Store& Model::store() { return state_->store; }

}  // namespace oxbow
