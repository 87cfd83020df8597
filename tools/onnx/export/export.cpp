#include <oxbow/graph/leaf_ops.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/runtime/atomic_file.h>

#include <set>

#include "onnx/export/exporter.h"
#include "onnx/larger.h"
#include "onnx/read/model_file.h"

namespace oxbow {
using namespace internal;

namespace {

void put(std::string& out, std::uint64_t value) {
  for (; value >= 128; value >>= 7) out += static_cast<char>(value | 128);
  out += static_cast<char>(value);
}

// The head of a message that is a field: its number and its length.
std::string head(std::uint64_t field, std::uint64_t length) {
  std::string out;
  put(out, field << 3 | 2);
  put(out, length);
  return out;
}

// Messages are written one after another, so that tensors' bytes are never copied.
void write(const std::string& path, onnx::Exporter& from, const std::string& name) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.set_producer_name("oxbow");
  onnx::OperatorSetIdProto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(onnx::written_opset);
  from.graph.set_name(name);
  const std::string nodes = from.graph.SerializeAsString();
  constexpr std::uint64_t graph_field = 7, initialiser_field = 5, raw_field = 9;
  std::vector<std::string> heads;
  std::uint64_t size = nodes.size();
  for (const auto& [key, tensor] : from.initialisers()) {
    onnx::TensorProto t;
    t.set_name(key);
    t.set_data_type(onnx::onnx_type(tensor.dtype()));
    for (const std::int64_t n : tensor.shape()) t.add_dims(n);
    const auto bytes = static_cast<std::uint64_t>(tensor.type().bytes());
    const std::string before = t.SerializeAsString() + head(raw_field, bytes);
    heads.push_back(head(initialiser_field, before.size() + bytes) + before);
    size += heads.back().size() + bytes;
  }
  constexpr std::uint64_t most = (std::uint64_t{1} << 31) - (1u << 20);  // of a message, as all readers have it
  if (size > most) throw Error("it has " + std::to_string(size) + " bytes, but an ONNX file has at most 2 GB");
  AtomicFile file(path);
  file.write(model.SerializeAsString());
  file.write(head(graph_field, size));
  file.write(nodes);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const Tensor& t = from.initialisers()[i].second;
    file.write(heads[i]);
    file.write(t.bytes(), static_cast<std::size_t>(t.type().bytes()));
  }
  file.commit();
}

}  // namespace

void export_onnx(const std::string& path, const NamedValues& outputs, const Store& store,
                 const OnnxExportOptions& options) {
  with_own_errors("cannot write", path, [&] {
    std::vector<Value> fetches;
    std::vector<std::string> names;
    std::set<std::string> once;
    for (const auto& [name, value] : outputs) {
      if (!value) throw Error("cannot export " + path + ": output " + in_quotes(name) + " is an empty Value");
      if (name.empty() || !once.insert(name).second)
        throw Error("cannot export " + path + ": each output has a name of its own, not " + in_quotes(name));
      fetches.push_back(value);
      names.push_back(name);
    }
    if (fetches.empty()) throw Error("cannot export " + path + ": there are no outputs");
    const Graph& graph = fetches[0].graph();
    const auto here = specialise(graph, fetches, {}, Mode::inference).graph;
    const auto there = onnx::larger(graph, fetches, *here);
    onnx::Exporter exporter(*here, there.get(), store);
    try {
      exporter.run(names);
    } catch (const Error& e) {
      throw Error("cannot export " + path + ": " + e.what());
    }
    write(path, exporter, options.name);
  });
}

}  // namespace oxbow
