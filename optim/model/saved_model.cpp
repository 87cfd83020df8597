// What a model predicts with, to a file and back.
#include <oxbow/graph/op.h>
#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/graph/text.h>
#include <oxbow/optim/model/state.h>
#include <oxbow/optim/saved_model.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <unordered_set>

namespace oxbow {
using namespace internal;
using optim::internal::Runner;

namespace {

constexpr const char *version_key = "oxbow.model", *version_now = "1", *graph_key = "graph", *columns_key = "columns",
                     *output_name = "predictions";

// The graph of one value: what it is computed from, and nothing else.
std::shared_ptr<Graph> graph_of(const Graph& whole, Value wanted) {
  std::vector<bool> needed(static_cast<std::size_t>(wanted.node_id()) + 1);
  needed.back() = true;
  Rewriter r(whole);
  for (auto id = static_cast<NodeId>(needed.size()); id-- > 0;) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    const Node n = whole.node(id);
    for (int i = 0; i < n.input_count(); ++i)
      if (n.input(i)) needed[static_cast<std::size_t>(n.input(i).node_id())] = true;
  }
  for (NodeId id = 0; id < static_cast<NodeId>(needed.size()); ++id)
    if (needed[static_cast<std::size_t>(id)]) r.copy(whole.node(id));
  const std::pair<std::string, Value> outputs[] = {{output_name, wanted}};
  return r.finish(outputs).graph;
}

}  // namespace

void Model::export_model(const std::string& path) const { state_->export_model(path, nullptr); }

void Model::export_model(const std::string& path, const TableEncoder& columns) const {
  state_->export_model(path, &columns);
}

void Model::State::export_model(const std::string& path, const TableEncoder* columns) const {
  while_memory_lasts("exporting a model", [&] {
    if (!predictions)
      throw Error(
          "export_model: the model was compiled without predictions. Compile it with {.predictions = logits}, say");
    const std::shared_ptr<Graph> exported = graph_of(*graph, predictions);
    Safetensors file;
    file.metadata[version_key] = version_now;
    file.metadata[graph_key] = print(*exported, {.locations = false});
    if (columns) file.metadata[columns_key] = columns->json();
    if (const std::size_t bytes = file.metadata[graph_key].size(); bytes > limits::header_bytes / 2)
      throw Error("export_model: the graph's text has " + std::to_string(bytes) + " bytes, more than the " +
                  std::to_string(limits::header_bytes / 2) +
                  " that a model's file holds. Make large constants variables that are not trained");
    std::unordered_set<std::string> own;
    for (const Value& v : variables(*exported, false)) own.insert(variable_of(v).name);
    for (auto& [name, tensor] : content(Saved::averages).tensors)
      if (own.contains(name)) file.tensors.emplace_back(name, std::move(tensor));
    save_safetensors(path, file);
  });
}

struct SavedModel::State {
  std::shared_ptr<const Graph> graph;
  Store store;
  Program program;
  std::vector<bool> free_axes;  // of the predictions
  std::optional<TableEncoder> columns;
  std::mutex lock;
  std::vector<std::unique_ptr<Runner>> idle;  // as many as predicted at once so far

  // Lends a run state for as long as `f` takes. One that failed is good for the next call.
  template <class F>
  Tensor with_runner(F&& f) {
    std::unique_ptr<Runner> runner;
    {
      const std::lock_guard hold(lock);
      if (!idle.empty()) {
        runner = std::move(idle.back());
        idle.pop_back();
      }
    }
    if (!runner) runner = std::make_unique<Runner>("predict", program, store, *graph);
    const auto give_back = [&] {
      const std::lock_guard hold(lock);
      idle.push_back(std::move(runner));
    };
    try {
      Tensor result = f(*runner);
      give_back();
      return result;
    } catch (...) {
      give_back();
      throw;
    }
  }
};

const std::vector<ops::Input>& SavedModel::inputs() const { return state_->program.inputs(); }
const Type& SavedModel::output() const { return state_->program.outputs()[0]; }
bool SavedModel::output_is_free(int axis) const { return state_->free_axes.at(static_cast<std::size_t>(axis)); }
const std::optional<TableEncoder>& SavedModel::columns() const { return state_->columns; }
const Graph& SavedModel::graph() const { return *state_->graph; }
Store SavedModel::store() const { return state_->store; }
Session SavedModel::session() const { return {state_->program, state_->store}; }

const std::vector<std::string>& SavedModel::labels() const {
  static const std::vector<std::string> none;
  return state_->columns ? state_->columns->labels() : none;
}

Tensor SavedModel::predict(const Dataset& data, std::int64_t batch_size) const {
  return while_memory_lasts("predicting", [&] {
    return state_->with_runner([&](Runner& runner) { return runner.predict(data, batch_size); });
  });
}

Tensor SavedModel::predict(const Tensor& x, std::int64_t batch_size) const {
  if (inputs().size() != 1)
    throw Error("predict: the predictions depend on " + std::to_string(inputs().size()) +
                " inputs, not on one. Give a Dataset with a column for each");
  return predict(Dataset{{inputs()[0].name, x}}, batch_size);
}

Tensor SavedModel::predict(const Table& table, std::int64_t batch_size) const {
  if (!state_->columns)
    throw Error(
        "predict: the model does not say which columns of a table it reads. Give tensors, or export it with a "
        "TableEncoder");
  return predict(state_->columns->inputs_of(table), batch_size);
}

namespace {

// The double with the digits that a float is printed with: 0.1, where the float is 0.10000000149.
template <class T>
double as_printed(T value) {
  if constexpr (std::is_same_v<T, float>) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    double same = value;
    std::from_chars(digits, end, same);
    return same;
  } else {
    return static_cast<double>(value);
  }
}

}  // namespace

Table SavedModel::table(const Tensor& predictions) const {
  if (predictions.shape().rank() == 0) throw Error("table: the predictions are a scalar, so there is no row a sample");
  const std::int64_t rows = predictions.shape()[0], width = rows > 0 ? predictions.count() / rows : 0;
  const bool classes = !labels().empty() && width == std::ssize(labels());
  const std::string target = columns() && !columns()->target().empty() ? columns()->target() : "prediction";
  std::vector<TableColumn> all;
  TableColumn best{.name = target, .type = ColumnType::text, .categories = labels()};
  for (std::int64_t c = 0; c < width; ++c) {
    const std::string own = classes      ? target + "=" + labels()[static_cast<std::size_t>(c)]
                            : width == 1 ? target
                                         : target + "_" + std::to_string(c);
    TableColumn& column = all.emplace_back(TableColumn{.name = own, .type = ColumnType::numbers});
    dispatch(predictions.dtype(), [&]<class T>(std::type_identity<T>) {
      for (std::int64_t row = 0; row < rows; ++row)
        column.numbers.push_back(as_printed(predictions.data<T>()[row * width + c]));
    });
  }
  if (classes) {
    for (std::int64_t row = 0; row < rows; ++row) {
      std::size_t largest = 0;
      for (std::size_t c = 1; c < all.size(); ++c)
        if (all[c].number(row) > all[largest].number(row)) largest = c;
      best.codes.push_back(static_cast<std::int32_t>(largest));
    }
    all.insert(all.begin(), std::move(best));
  }
  return Table(std::move(all), "the predictions");
}

namespace {

// Which axes of a value have another size where every free axis is twice as large: windows with strides, which round
// down, have then. Where the ops refuse such sizes the first axis is taken to be the only one, that of samples.
std::vector<bool> axes_that_grow(const Graph& graph, Value v) {
  std::map<std::string, Shape> shapes;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (const auto* in = graph.node(id).op().as<ops::Input>()) {
      Shape shape = in->type.shape;
      for (const std::int64_t axis : in->free_axes)
        shape = shape.with(static_cast<int>(axis), std::max<std::int64_t>(2, 2 * shape[static_cast<int>(axis)]));
      shapes[in->name] = shape;
    }
  std::vector<bool> grows(static_cast<std::size_t>(v.rank()));
  grows[0] = true;
  try {
    const std::shared_ptr<const Graph> larger = specialise(graph, {v}, shapes, Mode::inference).graph;
    const Shape there = larger->outputs()[0].second.shape();
    for (int axis = 0; axis < v.rank(); ++axis) grows[static_cast<std::size_t>(axis)] = there[axis] != v.shape()[axis];
  } catch (const Error&) {
  }
  return grows;
}

}  // namespace

SavedModel load_model(const std::string& path, const LoadOptions& options) {
  return while_memory_lasts("loading a model", [&] {
    const Safetensors file = load_safetensors(path);
    const auto fail = [&](const std::string& what) { throw Error(path + " is no exported model: " + what); };
    // What is wrong with the columns or the graph, as a fault of this file.
    const auto of_file = [&](auto&& f) {
      try {
        return f();
      } catch (const Error& e) {
        throw Error(path + " is no exported model: " + e.what());
      }
    };
    const auto entry = [&](const char* key) {
      const auto found = file.metadata.find(key);
      return found == file.metadata.end() ? nullptr : &found->second;
    };
    const std::string *version = entry(version_key), *text = entry(graph_key);
    if (!version) fail("it holds tensors alone. Model::export_model writes models");
    if (*version != version_now)
      fail("it is of version " + in_quotes(*version) + ", and this Oxbow reads " + version_now + ". Take a newer one");
    if (!text) fail("it has no graph");
    auto state = std::make_shared<SavedModel::State>();
    std::shared_ptr<const Graph> graph = parse(*text, options.ops, path);
    const auto& outputs = graph->outputs();
    if (outputs.size() != 1 || outputs[0].first != output_name || outputs[0].second.rank() == 0)
      fail("its graph has no predictions");
    // Before a store gives variables the size that the graph asks for.
    std::map<std::string_view, const Tensor*> tensors;
    for (const auto& [name, tensor] : file.tensors) tensors.emplace(name, &tensor);
    for (const Value& v : variables(*graph, false)) {
      const ops::Variable& variable = variable_of(v);
      const auto found = tensors.find(variable.name);
      if (found == tensors.end()) fail("it lacks the variable " + in_quotes(variable.name));
      if (found->second->type() != variable.type)
        fail("its variable " + in_quotes(variable.name) + " is " + to_string(found->second->type()) + ", but " +
             to_string(variable.type) + " in its graph");
    }
    state->store = Store(*graph);
    for (const Value& v : variables(*graph, false)) state->store.set(v, *tensors.at(variable_of(v).name));
    if (const std::string* columns = entry(columns_key))
      state->columns = of_file([&] { return TableEncoder::parse(*columns); });
    state->program = of_file([&] {
      return compile({outputs[0].second},
                     {.mode = Mode::inference, .pool = options.pool, .cached_shapes = options.cached_shapes});
    });
    state->free_axes = axes_that_grow(*graph, outputs[0].second);
    state->graph = std::move(graph);
    SavedModel model;
    model.state_ = std::move(state);
    return model;
  });
}

}  // namespace oxbow
