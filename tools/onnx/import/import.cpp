#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/near_names.h>

#include "onnx/import/importer.h"

namespace oxbow {
using namespace internal;

Value NamedValues::operator[](std::string_view name) const {
  std::vector<std::string> known;
  for (const auto& [own, value] : entries_) {
    if (own == name) return value;
    known.push_back(own);
  }
  throw Error("there is no " + in_quotes(name) + "." + did_you_mean(name, known) + " There are: " + listed(known));
}

bool is_onnx_file(std::string_view path) { return path.ends_with(".onnx"); }

OnnxModel import_onnx(Graph& g, const std::string& path, const OnnxImportOptions& options, At at) {
  return with_own_errors("cannot read", path, [&] {
    const NodeId before = g.size();
    try {
      const onnx::ModelFile file(path);
      try {
        return onnx::Importer(g, file, options, at).run();
      } catch (const Error& e) {
        throw Error("cannot import " + path + ": " + e.what());
      }
    } catch (...) {
      g.take_back(before);
      throw;
    }
  });
}

}  // namespace oxbow
