#include <oxbow/graph/leaf_ops.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/files/checksum.h>

#include <filesystem>
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

constexpr std::uint64_t largest_message = (std::uint64_t{1} << 31) - (1u << 20);  // as all readers have it

// Whether a tensor's bytes go to another file, where there is one: those of shapes and axes are read with the nodes.
bool is_large(const Tensor& t) { return t.type().bytes() >= 1024; }

// Where the bytes of tensors begin in a file of their own, each at a multiple of 64, and where the last one ends.
std::vector<std::uint64_t> places(const onnx::Exporter::Initialisers& all) {
  std::vector<std::uint64_t> begins{0};
  for (const auto& [name, tensor] : all) {
    const auto bytes = is_large(tensor) ? static_cast<std::uint64_t>(tensor.type().bytes()) : 0;
    begins.push_back((begins.back() + bytes + 63) / 64 * 64);
  }
  return begins;
}

void write_data(const std::string& path, const onnx::Exporter::Initialisers& all,
                const std::vector<std::uint64_t>& begins) {
  AtomicFile file(path);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!is_large(all[i].second)) continue;
    const auto bytes = static_cast<std::uint64_t>(all[i].second.type().bytes());
    file.write(all[i].second.bytes(), bytes);
    file.write(std::string(begins[i + 1] - begins[i] - bytes, '\0'));
  }
  file.commit();
}

// A file for these tensors beside a model: another one for other bytes, so that the one which a model reads is never
// written to, and a kill between the two files leaves the model that was there whole.
std::string data_path(const std::string& model, const onnx::Exporter::Initialisers& all) {
  Checksum sum;
  for (const auto& [name, tensor] : all)
    if (is_large(tensor)) sum.add(tensor.bytes(), static_cast<std::size_t>(tensor.type().bytes()));
  return model + "." + sum.digits() + ".data";
}

// What earlier exports to this model left.
void remove_other_data(const std::filesystem::path& model, const std::filesystem::path& now) {
  const std::string begin = model.filename().string() + ".", end = ".data";
  std::error_code failed;  // then they stay, and harm nobody
  for (const auto& entry : std::filesystem::directory_iterator(
           model.has_parent_path() ? model.parent_path() : std::filesystem::path("."), failed)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with(begin) && name.ends_with(end) && name.size() == begin.size() + 16 + end.size() &&
                      name.find_first_not_of("0123456789abcdef", begin.size()) == name.size() - end.size();
    if (ours && name != now.filename()) std::filesystem::remove(entry.path(), failed);
  }
}

void say_where(onnx::TensorProto& t, const std::string& file, std::uint64_t begin, std::uint64_t bytes) {
  t.set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : {std::pair<std::string, std::string>{"location", file},
                                   {"offset", std::to_string(begin)},
                                   {"length", std::to_string(bytes)}}) {
    onnx::StringStringEntryProto& entry = *t.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  }
}

// Messages are written one after another, so that tensors' bytes are never copied.
void write(const std::string& path, onnx::Exporter& from, const OnnxExportOptions& options) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.set_producer_name("oxbow");
  onnx::OperatorSetIdProto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(onnx::written_opset);
  from.graph.set_name(options.name);
  const std::string nodes = from.graph.SerializeAsString();
  constexpr std::uint64_t graph_field = 7, initialiser_field = 5, raw_field = 9;
  const onnx::Exporter::Initialisers& initialisers = from.initialisers();
  std::uint64_t all = nodes.size();
  for (const auto& [key, tensor] : initialisers) all += static_cast<std::uint64_t>(tensor.type().bytes()) + 256;
  const bool beside = options.data_beside || all > largest_message;
  const std::vector<std::uint64_t> begins = places(initialisers);
  const std::string data = beside ? data_path(path, initialisers) : "";
  std::vector<std::string> heads;
  std::uint64_t size = nodes.size();
  for (std::size_t i = 0; i < initialisers.size(); ++i) {
    const auto& [key, tensor] = initialisers[i];
    onnx::TensorProto t;
    t.set_name(key);
    t.set_data_type(onnx::onnx_type(tensor.dtype()));
    for (const std::int64_t n : tensor.shape()) t.add_dims(n);
    const auto bytes = static_cast<std::uint64_t>(tensor.type().bytes());
    const bool here = !beside || !is_large(tensor);
    if (!here) say_where(t, std::filesystem::path(data).filename().string(), begins[i], bytes);
    const std::string before = t.SerializeAsString() + (here ? head(raw_field, bytes) : "");
    heads.push_back(head(initialiser_field, before.size() + (here ? bytes : 0)) + before);
    size += heads.back().size() + (here ? bytes : 0);
  }
  if (beside) write_data(data, initialisers, begins);
  AtomicFile file(path);
  file.write(model.SerializeAsString());
  file.write(head(graph_field, size));
  file.write(nodes);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const Tensor& t = initialisers[i].second;
    file.write(heads[i]);
    if (!beside || !is_large(t)) file.write(t.bytes(), static_cast<std::size_t>(t.type().bytes()));
  }
  file.commit();
  remove_other_data(path, data);
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
    write(path, exporter, options);
  });
}

}  // namespace oxbow
