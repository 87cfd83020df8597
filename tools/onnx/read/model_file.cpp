#include "onnx/read/model_file.h"

#include <oxbow/graph/error.h>
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/near_names.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "onnx/read/external_path.h"

namespace oxbow::onnx {
using namespace internal;

namespace {

constexpr std::pair<TensorProto::DataType, DType> dtypes_of_onnx[] = {
    {TensorProto::FLOAT, f32},   {TensorProto::DOUBLE, f64}, {TensorProto::FLOAT16, f16}, {TensorProto::BFLOAT16, bf16},
    {TensorProto::INT8, i8},     {TensorProto::INT16, i16},  {TensorProto::INT32, i32},   {TensorProto::INT64, i64},
    {TensorProto::UINT8, u8},    {TensorProto::UINT16, u16}, {TensorProto::UINT32, u32},  {TensorProto::UINT64, u64},
    {TensorProto::BOOL, boolean}};
constexpr const char* other_types[] = {"no type", "", "", "", "", "", "",          "",
                                       "strings", "", "", "", "", "", "complex64", "complex128"};

[[noreturn]] void wrong(const std::string& name, const std::string& what) {
  throw Error("tensor " + in_quotes(name) + " " + what);
}

// The field that numbers of this dtype are listed in.
int list_field(DType d) {
  switch (d) {
    case f32:
      return 4;
    case f64:
      return 10;
    case i64:
      return 7;
    case u32:
    case u64:
      return 11;
    default:
      return 5;
  }
}

// A list of varints as elements: narrow ones hold their bits in the low bytes.
void unpack_varints(const std::string& name, const TensorBytes& from, Tensor& to) {
  std::int64_t at = 0;
  const std::int64_t count = to.count();
  const auto bytes = static_cast<std::size_t>(size_of(to.dtype()));
  for (const std::string_view piece : from.pieces) {
    std::uint64_t value = 0;
    int shift = 0;
    for (const char c : piece) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (shift > 63) wrong(name, "has a number of more than 64 bits");
      value |= std::uint64_t{byte & 127u} << shift;
      shift += 7;
      if (byte >= 128) continue;
      if (at == count) wrong(name, "has more elements than its shape says");
      std::memcpy(to.bytes() + static_cast<std::size_t>(at++) * bytes, &value, bytes);  // little endian
      value = 0;
      shift = 0;
    }
    if (shift != 0) wrong(name, "ends within a number");
  }
  if (at != count)
    wrong(name, "has " + std::to_string(at) + " elements, but its shape " + to_string(to.shape()) + " has " +
                    std::to_string(count));
}

std::int64_t parse_size(const std::string& name, const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    wrong(name, "lies in another file from byte " + in_quotes(text) + " on, which is no number");
  return value;
}

}  // namespace

DType dtype_of_onnx(int type) {
  for (const auto& [theirs, ours] : dtypes_of_onnx)
    if (theirs == type) return ours;
  const bool named = type >= 0 && type < static_cast<int>(std::size(other_types));
  throw Error("Oxbow has no " + (named ? other_types[type] : "element type " + std::to_string(type)));
}

TensorProto::DataType onnx_type(DType dtype) {
  for (const auto& [theirs, ours] : dtypes_of_onnx)
    if (ours == dtype) return theirs;
  throw InternalError("a dtype has no ONNX type");
}

ModelFile::ModelFile(const std::string& path) : ModelFile(path, Root::model) {}

ModelFile::ModelFile(const std::string& path, Root root) : path_(path), mapping_(std::make_shared<MappedFile>(path)) {
  const char* what = root == Root::model ? "model" : "tensor";
  Scanned found;
  try {
    found = scan(mapping_->text(), root);
  } catch (const Error& e) {
    throw Error(path + " is not an ONNX " + what + ": " + e.what());
  }
  tensors_ = std::move(found.tensors);
  google::protobuf::MessageLite& message =
      root == Root::model ? static_cast<google::protobuf::MessageLite&>(model_) : tensor_;
  if (!message.ParseFromString(found.rest))
    throw Error(path + " is not an ONNX " + what + ": its messages are damaged");
}

Type ModelFile::type(const TensorProto& t) {
  try {
    return {dtype_of_onnx(t.data_type()), Shape(std::span<const std::int64_t>(t.dims().data(), t.dims_size()))};
  } catch (const Error& e) {
    wrong(t.name(), std::string("cannot be read: ") + e.what());
  }
}

ModelFile::Source ModelFile::external(const TensorProto& t, const Type& type) const {
  std::string location;
  std::int64_t offset = 0;
  std::optional<std::int64_t> length;
  for (const StringStringEntryProto& entry : t.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = parse_size(t.name(), entry.value());
    if (entry.key() == "length") length = parse_size(t.name(), entry.value());
  }
  if (length && *length != type.bytes())
    wrong(t.name(), "is " + to_string(type) + ", which takes " + std::to_string(type.bytes()) + " bytes, but has " +
                        std::to_string(*length) + " in another file");
  std::shared_ptr<const MappedFile>& file = others_[location];
  if (!file) file = std::make_shared<MappedFile>(external_path(path_, location));
  const auto size = static_cast<std::int64_t>(file->text().size());
  if (offset > size || type.bytes() > size - offset)
    wrong(t.name(), "should lie in " + in_quotes(location) + " up to byte " + std::to_string(offset) + " + " +
                        std::to_string(type.bytes()) + ", but that has only " + std::to_string(size));
  return {file->text().substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(type.bytes())), file};
}

// The elements where they lie as kernels have them; nothing where they have to be unpacked.
std::optional<ModelFile::Source> ModelFile::raw(const TensorProto& t, const Type& type) const {
  if (t.data_location() == TensorProto::EXTERNAL) {
    if (t.has_raw_data()) wrong(t.name(), "lies both here and in another file");
    return external(t, type);
  }
  const auto expect = [&](std::size_t bytes) {
    if (static_cast<std::int64_t>(bytes) != type.bytes())
      wrong(t.name(), "is " + to_string(type) + ", which takes " + std::to_string(type.bytes()) + " bytes, but has " +
                          std::to_string(bytes));
  };
  if (!t.has_raw_data()) {
    expect(0);
    return Source{{}, mapping_};
  }
  std::uint64_t place = 0;
  invariant(t.raw_data().size() == sizeof place, "the place of a tensor");
  std::memcpy(&place, t.raw_data().data(), sizeof place);
  const TensorBytes& found = tensors_.at(place);
  if (found.field != 9 && found.field != list_field(type.dtype))
    wrong(t.name(), "is " + to_string(type) + ", but its elements are of another type");
  if (found.pieces.size() != 1 || !found.packed || found.field == 5 || found.field == 7 || found.field == 11)
    return std::nullopt;
  expect(found.pieces[0].size());
  return Source{found.pieces[0], mapping_};
}

const TensorBytes& ModelFile::list(const TensorProto& t, const Type& type) const {
  std::uint64_t place = 0;
  std::memcpy(&place, t.raw_data().data(), sizeof place);
  const TensorBytes& found = tensors_.at(place);
  std::size_t bytes = 0;
  for (const std::string_view piece : found.pieces) bytes += piece.size();
  const bool floats = found.field == 4 || found.field == 10;
  // A whole number takes at least one byte, so nothing is allocated for a shape that the file does not fill.
  if (floats ? static_cast<std::int64_t>(bytes) != type.bytes() : bytes < static_cast<std::size_t>(type.count()))
    wrong(t.name(), "is " + to_string(type) + ", but has another number of elements");
  return found;
}

Type ModelFile::checked(const TensorProto& t) const {
  check_fields(t, "tensor " + in_quotes(t.name()), {16});  // notes
  if (t.has_segment()) wrong(t.name(), "is a part of one, which ONNX no longer has");
  const Type type = ModelFile::type(t);
  if (!raw(t, type)) list(t, type);
  return type;
}

Tensor ModelFile::read(const TensorProto& t, bool aligned) const {
  const Type type = checked(t);
  Tensor result;
  if (const auto source = raw(t, type)) {
    constexpr std::uintptr_t alignment = 64;
    auto* bytes = reinterpret_cast<std::byte*>(const_cast<char*>(source->bytes.data()));
    if (type.bytes() > 0 && (!aligned || reinterpret_cast<std::uintptr_t>(bytes) % alignment == 0)) {
      result = Tensor(type, std::shared_ptr<std::byte>(std::const_pointer_cast<MappedFile>(source->mapping), bytes));
    } else {
      result = Tensor(type);
      if (type.bytes() > 0) std::memcpy(result.bytes(), bytes, source->bytes.size());
    }
  } else {
    const TensorBytes& found = list(t, type);
    result = Tensor(type);
    if (found.field == 4 || found.field == 10) {
      std::byte* to = result.bytes();
      for (const std::string_view piece : found.pieces)
        to = std::copy_n(reinterpret_cast<const std::byte*>(piece.data()), piece.size(), to);
    } else {
      unpack_varints(t.name(), found, result);
    }
  }
  if (type.dtype == boolean &&
      std::any_of(result.bytes(), result.bytes() + type.bytes(), [](std::byte b) { return b > std::byte{1}; }))
    wrong(t.name(), "is BOOL, but has bytes other than 0 and 1");
  return result;
}

void ModelFile::visit(const TensorProto& t, const std::function<void(const Tensor&)>& use) const {
  use(read(t, false));
  if (const auto source = raw(t, type(t)); source && !source->bytes.empty()) source->mapping->forget(source->bytes);
}

void check_unknown(std::string_view fields, std::string_view what, std::initializer_list<std::uint32_t> harmless) {
  const auto number = [&] {
    std::uint64_t value = 0;
    for (int shift = 0; !fields.empty() && shift < 64; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(fields[0]);
      fields.remove_prefix(1);
      value |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) break;
    }
    return value;
  };
  while (!fields.empty()) {
    const std::uint64_t key = number();
    if (std::find(harmless.begin(), harmless.end(), key >> 3) == harmless.end())
      throw Error(std::string(what) + " has a field number " + std::to_string(key >> 3) +
                  ", which may change what it means and which Oxbow does not know" +
                  "\n  Export the model for an older version of ONNX");
    std::uint64_t skip = 0;
    switch (key & 7) {
      case 0:
        number();
        break;
      case 1:
        skip = 8;
        break;
      case 2:
        skip = number();
        break;
      case 5:
        skip = 4;
        break;
      default:
        throw InternalError("an unknown field that protobuf kept");
    }
    fields.remove_prefix(std::min<std::size_t>(skip, fields.size()));
  }
}

}  // namespace oxbow::onnx

oxbow::Tensor oxbow::load_onnx_tensor(const std::string& path) {
  return internal::with_own_errors("cannot read", path, [&] {
    const onnx::ModelFile file(path, onnx::Root::tensor);
    return file.tensor(file.tensor_).clone();
  });
}
