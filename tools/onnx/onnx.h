// Models in ONNX files: read into a graph, trained there as any other, and written back.
//
//   Graph g;
//   OnnxModel net = import_onnx(g, "net.onnx", {.train = {"head.*"}});
//   Value label = input(g, "label", i64, {any(2)});
//   Model model = compile(cross_entropy(net.outputs["logits"], label), "adam", {.store = net.store});
//   model.fit(data, {.epochs = 3});
//   export_onnx("tuned.onnx", net.outputs, model.store());
//
// Thread safety: an import appends to its graph, which is for one thread; an export reads it.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/runtime/store.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace oxbow {

/// Values by name, in order.
class NamedValues {
 public:
  NamedValues() = default;
  NamedValues(std::initializer_list<std::pair<std::string, Value>> entries) : entries_(entries) {}
  void add(std::string name, Value value) { entries_.emplace_back(std::move(name), value); }
  /// Throws `Error` with the known names for an unknown one.
  Value operator[](std::string_view name) const;
  /// The value of this number.
  Value operator[](int i) const { return entries_.at(static_cast<std::size_t>(i)).second; }
  int size() const { return static_cast<int>(entries_.size()); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  std::vector<std::pair<std::string, Value>> entries_;
};

struct OnnxImportOptions {
  /// Which parameters are trained, by name: '*' stands for any text, '?' for any one character; a scalar only by its
  /// whole name, since most are constants of the model, such as an epsilon. Batch normalisation
  /// whose scale or offset is among them takes the batch's statistics in training, and updates the running ones; any
  /// other takes the running ones.
  std::vector<std::string> train = {};
  /// Example sizes of free axes, by the file's names for them: {{"height", 224}}. See `any`. Without one, 2 for the
  /// first axis of an input and 32 for others.
  std::map<std::string, std::int64_t> sizes = {};
  /// Inputs that are not fed, but have this value: a shape, axes or a number of elements, say, on which other shapes
  /// depend. They become constants.
  std::map<std::string, Tensor> constants = {};
};

/// What an import made of a file.
struct OnnxModel {
  NamedValues inputs, outputs;                    ///< by the file's names, in its order
  NamedValues parameters;                         ///< variables, by the file's names of initialisers
  Store store;                                    ///< the variables of the graph, these with the file's values
  std::map<std::string, std::int64_t> operators;  ///< how often the file has which operator
  std::string producer;                           ///< who wrote the file: "pytorch 2.1"
  std::int64_t opset = 0;                         ///< of ONNX's own operators
};

/// Reads a model into `g`. Axes that the file leaves open are free. Floating-point initialisers become variables, not
/// trained unless `options.train` says so, those with which images are convolved as [rows][columns][in][out], which a
/// step need not transpose; whole numbers and scalars become constants. Names are the file's, parts before '/' being
/// scopes ("/layer1/conv/Conv" is Conv in layer1/conv). The graph is for training and inference: dropout and batch
/// normalisation are as in ops/layers.h, so that `compile(outputs, {.mode = Mode::inference})` is what the file means.
///
/// Throws `Error` for a file that is no ONNX model, that goes beyond the limits of tools/docs/files.md, or whose
/// external tensors lie elsewhere than beside it or below; for operators that Oxbow lacks, all of them with their
/// nodes; for a node that cannot be built; and for a pattern that matches nothing. The graph is then as it was.
OnnxModel import_onnx(Graph& g, const std::string& path, const OnnxImportOptions& options = {}, At at = At::current());

struct OnnxExportOptions {
  std::string name = "oxbow";  ///< the graph's
  bool data_beside = false;    ///< parameters go to a file beside it, whatever their size
};

/// Writes what computes `outputs`, values of one graph, in inference mode, with the parameters of `store`, to a file of
/// opset 17, whole or not at all. Inputs and parameters have their names; free axes stay open. What would be
/// more than 2 GB, which no such file may have, has its parameters in a file beside it, PATH.CHECKSUM.data, which is
/// written first; those of earlier exports to PATH are removed at the end. Throws `Error` for ops that ONNX has no
/// operator for, all of them with their nodes, and as `AtomicFile` does.
void export_onnx(const std::string& path, const NamedValues& outputs, const Store& store,
                 const OnnxExportOptions& options = {});

/// A tensor in a file of its own, as ONNX's tests have them: input_0.pb. Throws `Error` as `import_onnx` does.
Tensor load_onnx_tensor(const std::string& path);

/// Whether a file is to be read by `import_onnx`: its name ends with ".onnx".
bool is_onnx_file(std::string_view path);

}  // namespace oxbow
