// A trained model from its file, to predict with: no code that builds it and no optimizer is needed.
//
//   model.export_model("flats.oxb", encode);                   // optim/model.h, in the program that trains
//   const SavedModel served = load_model("flats.oxb");         // in any other
//   const Tensor rents = served.predict(read_csv("new.csv"));
//
// The file is safetensors (runtime/safetensors.h) with a checksum of all of it: the variables are its tensors, and its
// metadata has "oxbow.model", the version, "graph", the graph as text (graph/text.h), and "columns", how a table
// becomes inputs (optim/table_encoder.h). Thread safety: everything of a SavedModel, by any number of threads at once;
// copies share it.
#pragma once

#include <oxbow/graph/catalog.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/optim/table_encoder.h>
#include <oxbow/runtime/program.h>

#include <optional>

namespace oxbow {

struct LoadOptions {
  Pool pool = Pool::shared();
  const Catalog& ops = catalog();  ///< with ops of one's own, where the model has them
  /// For so many sets of input shapes runs are warm: see `CompileOptions`. A server meets many batch sizes in turn.
  int cached_shapes = 128;
};

class SavedModel {
 public:
  /// What is to be fed: names, dtypes, shapes, which axes are free.
  const std::vector<ops::Input>& inputs() const;
  /// Of the predictions, at the example sizes.
  const Type& output() const;
  /// Whether an axis of theirs has a size that follows from what is fed.
  bool output_is_free(int axis) const;
  /// How a table becomes the inputs, where the model was exported with that.
  const std::optional<TableEncoder>& columns() const;
  /// What the numbers of a class stand for; empty where the model does not say.
  const std::vector<std::string>& labels() const;
  const Graph& graph() const;
  Store store() const;

  /// Predictions for every sample: [n, ...]. Throws `Error` as `Model::predict` does; of a table where the model was
  /// exported without columns.
  Tensor predict(const Dataset& data, std::int64_t batch_size = 256) const;
  Tensor predict(const Tensor& x, std::int64_t batch_size = 256) const;
  Tensor predict(const Table& table, std::int64_t batch_size = 256) const;

  /// Predictions as a table, a row a sample, whose columns are called as the target that the model was exported with,
  /// "prediction" without one: the label of the largest number, and the numbers of each label, "kind=a"; where there
  /// are no labels, the number, or numbers "rent_0", "rent_1", ... The shell's `oxbow predict` writes it.
  Table table(const Tensor& predictions) const;

  /// A run state for one thread, whose warm runs allocate nothing: feed inputs by name, fetch value 0.
  Session session() const;

 private:
  friend SavedModel load_model(const std::string& path, const LoadOptions& options);
  struct State;
  std::shared_ptr<State> state_;
};

/// Reads what `Model::export_model` wrote, in the limits of a safetensors file and of a graph's text. Throws `Error`
/// that names the file for one that is damaged, of a newer version, or of parameters alone.
SavedModel load_model(const std::string& path, const LoadOptions& options = {});

}  // namespace oxbow
