// An ONNX file: its messages, and its tensors where they lie in the file. Thread safety: one thread at a time.
#pragma once

#include <oxbow/graph/tensor.h>
#include <oxbow/runtime/files/mapped_file.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/onnx.h"
#include "onnx/read/wire.h"
#include "onnx_schema.pb.h"

namespace oxbow::onnx {

using namespace onnx_schema;  // NodeProto, TensorProto, ...

/// "float", 1 and so on as a dtype. Throws `Error` for a type that Oxbow lacks.
DType dtype_of_onnx(int type);
/// And back: every dtype has one.
TensorProto::DataType onnx_type(DType dtype);

class ModelFile {
 public:
  /// Throws `Error` that names the file, for what is no ONNX model and for what `scan` refuses.
  explicit ModelFile(const std::string& path);

  const std::string& path() const { return path_; }
  const ModelProto& model() const { return model_; }

  /// The type of a tensor of this file, whose elements are there, as many as it says. Throws `Error` where they are
  /// not, or for a type that there is not.
  Type checked(const TensorProto& t) const;
  /// A tensor of this file, aligned as kernels want it. Throws as `checked` does.
  Tensor tensor(const TensorProto& t) const { return read(t, true); }
  /// Calls `use(Tensor)` with the tensor, which may lie in the mapped file, aligned to nothing; the memory for it is
  /// given back after that.
  void visit(const TensorProto& t, const std::function<void(const Tensor&)>& use) const;

 private:
  friend Tensor oxbow::load_onnx_tensor(const std::string& path);
  ModelFile(const std::string& path, Root root);
  struct Source {
    std::string_view bytes;
    std::shared_ptr<const internal::MappedFile> mapping;
  };
  static Type type(const TensorProto& t);
  Tensor read(const TensorProto& t, bool aligned) const;
  const TensorBytes& list(const TensorProto& t, const Type& type) const;
  std::optional<Source> raw(const TensorProto& t, const Type& type) const;
  Source external(const TensorProto& t, const Type& type) const;

  std::string path_;
  std::shared_ptr<const internal::MappedFile> mapping_;
  std::vector<TensorBytes> tensors_;
  ModelProto model_;
  TensorProto tensor_;
  mutable std::map<std::string, std::shared_ptr<const internal::MappedFile>> others_;
};

/// Throws `Error` where a message has fields that the schema lacks, which may change what it means; those in
/// `harmless` are notes.
template <class M>
void check_fields(const M& message, std::string_view what, std::initializer_list<std::uint32_t> harmless = {}) {
  void check_unknown(std::string_view fields, std::string_view what, std::initializer_list<std::uint32_t> harmless);
  if (!message.unknown_fields().empty()) check_unknown(message.unknown_fields(), what, harmless);
}

}  // namespace oxbow::onnx
