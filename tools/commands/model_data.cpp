#include "commands/model_data.h"

#include <oxbow/optim/npz.h>
#include <oxbow/runtime/safetensors.h>

namespace oxbow::tools {

bool holds_arrays(std::string_view path) { return path.ends_with(".safetensors") || path.ends_with(".npz"); }

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

Dataset read_model_data(const SavedModel& model, const std::string& path, bool truth) {
  if (holds_arrays(path)) return read_arrays(path);
  if (!model.columns())
    throw Error(
        "the model does not say which columns of a table it reads. Give tensors, named as its inputs are: "
        "--data FILE.safetensors or FILE.npz");
  const TableEncoder& encode = *model.columns();
  const oxbow::Table table = read_csv(path, encode.csv_options(truth));
  return truth ? encode(table) : encode.inputs_of(table);
}

}  // namespace oxbow::tools
