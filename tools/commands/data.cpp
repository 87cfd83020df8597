#include "commands/data.h"

#include <fmt/format.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/onnx.h>
#include <oxbow/optim/npz.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "commands/load.h"
#include "measure/feeds.h"

namespace oxbow::tools {
using namespace internal;

namespace {

bool holds_arrays(std::string_view path) { return path.ends_with(".safetensors") || path.ends_with(".npz"); }
bool is_table(std::string_view path) { return path.ends_with(".csv"); }

Dataset read_arrays(const std::string& path) {
  Dataset data;
  auto arrays = path.ends_with(".npz") ? load_npz(path).arrays : load_safetensors(path).tensors;
  try {
    for (auto& [name, tensor] : arrays) data.add(name, std::move(tensor));
  } catch (const Error& e) {
    throw Error(path + ": " + e.what());
  }
  if (data.size() == 0) throw Error(path + " has no samples");
  return data;
}

std::vector<ops::Input> inputs_of(const Graph& graph) {
  std::vector<ops::Input> inputs;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (const auto* in = graph.node(id).op().as<ops::Input>()) inputs.push_back(*in);
  return inputs;
}

// How many numbers a sample has.
std::int64_t numbers(const ops::Input& input) {
  const Shape& shape = input.type.shape;
  return shape.count(1, shape.rank());
}

// Columns side by side, as an input takes them.
Tensor columns_for(const ops::Input& input, const oxbow::Table& table, std::span<const std::string> names) {
  const Tensor read = table.tensor(names, f64);
  Tensor taken({input.type.dtype, input.type.shape.with(0, table.size())});
  dispatch(input.type.dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < read.count(); ++i) {
      const double v = read.data<double>()[i];
      if constexpr (!is_float(dtype_of<T>))
        if (v != std::floor(v) || v < static_cast<double>(std::numeric_limits<T>::lowest()) ||
            v > static_cast<double>(std::numeric_limits<T>::max()))
          throw Error(fmt::format("column {} of {} has {} in row {}, which input {} of {} does not take",
                                  in_quotes(names[static_cast<std::size_t>(i % std::ssize(names))]), table.source(), v,
                                  i / std::ssize(names) + 1, in_quotes(input.name), name(input.type.dtype)));
      taken.data<T>()[i] = static_cast<T>(v);
    }
  });
  return taken;
}

// What is none of the inputs may be what predictions are compared with.
void add_truth(Dataset& data, const oxbow::Table& table, const std::string& name) {
  const TableColumn& column = table[name];
  if (column.type == ColumnType::integers) data.add(name, Tensor::of({table.size()}, column.integers));
  if (column.type == ColumnType::numbers) data.add(name, table.tensor({name}));
}

Dataset read_columns(const std::string& path, const Graph& graph) {
  const oxbow::Table table = read_csv(path);
  if (table.size() == 0) throw Error(path + " has no samples");
  std::vector<std::string> left = table.names();
  Dataset data;
  const ops::Input* wide = nullptr;
  const std::vector<ops::Input> inputs = inputs_of(graph);
  for (const ops::Input& in : inputs) {
    if (in.type.shape.rank() == 0) continue;  // that is said where it is fed
    if (table.contains(in.name) && numbers(in) == 1) {
      data.add(in.name, columns_for(in, table, std::span(&in.name, 1)));
      std::erase(left, in.name);
    } else if (std::exchange(wide, &in)) {
      throw Error(
          fmt::format("{} fills at most one input that is no column of it, but there are several. Give arrays: "
                      "--data FILE.npz or FILE.safetensors",
                      path));
    }
  }
  if (wide && std::ssize(left) == numbers(*wide) + 1)  // of a net that only predicts
    if (const auto truth = std::find(left.begin(), left.end(), "label"); truth != left.end()) {
      add_truth(data, table, *truth);
      left.erase(truth);
    }
  if (wide) {
    if (std::ssize(left) != numbers(*wide))
      throw Error(
          fmt::format("{}: input {}, {}{}, takes {} columns of numbers, but there are {} that no other input "
                      "takes{}\n  Name columns as the inputs are, and leave out what is none",
                      path, in_quotes(wide->name), name(wide->type.dtype), declared_shape(*wide), numbers(*wide),
                      left.size(), left.empty() ? "" : ": " + listed(left)));
    data.add(wide->name, columns_for(*wide, table, left));
  } else {
    for (const std::string& other : left) add_truth(data, table, other);
  }
  return data;
}

}  // namespace

Data read_data(const std::string& net, const std::string& data, const std::string& test) {
  const auto read = [&](const std::string& path) {
    if (holds_arrays(path)) return read_arrays(path);
    if (is_model_file(net)) return read_model_data(load_model(net), path, true);
    return read_columns(path, *load_graph(net));
  };
  if (holds_arrays(data) || is_table(data)) return {read(data), test.empty() ? Dataset() : read(test), "samples"};
  if (!test.empty()) throw Error("--test goes with a file of samples; MNIST has a test set of its own");
  const auto graph = is_onnx_file(net) ? std::make_shared<Graph>() : load_graph(net);
  try {
    Mnist mnist = load_mnist_for(*graph, data);
    return {std::move(mnist.train), std::move(mnist.test), "images"};
  } catch (const Error& e) {
    throw Error(e.what() + std::string("\n  Name a file of samples, .npz, .safetensors or .csv, or the folder of the "
                                       "four MNIST files, with --data"));
  }
}

Dataset read_model_data(const SavedModel& model, const std::string& path, bool truth) {
  if (holds_arrays(path)) return read_arrays(path);
  if (!model.columns()) return read_columns(path, model.graph());
  const TableEncoder& encode = *model.columns();
  const oxbow::Table table = read_csv(path, encode.csv_options(truth));
  return truth ? encode(table) : encode.inputs_of(table);
}

std::map<std::string, Tensor> first_rows(const Dataset& data, std::int64_t rows) {
  const Dataset first = data.rows(0, std::min(rows, data.size()));
  return {first.columns().begin(), first.columns().end()};
}

}  // namespace oxbow::tools
