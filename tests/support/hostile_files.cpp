#include "hostile_files.h"

#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/optim/csv.h>
#include <oxbow/optim/idx.h>
#include <oxbow/optim/image.h>
#include <oxbow/optim/npy.h>
#include <oxbow/optim/npz.h>
#include <oxbow/optim/saved_model.h>
#include <oxbow/runtime/files/safetensors_header.h>
#include <oxbow/runtime/safetensors.h>

#include "memory_file.h"
#include "temporary_folder.h"

namespace oxbow::test {
using namespace internal;

namespace {

// Runs `read` on the path of a file with these bytes; what is wrong with the error that it throws.
template <class Read>
std::string refused_well(std::string_view bytes, Read&& read) {
  const MemoryFile file(bytes);
  try {
    return read(file.path());
  } catch (const Error& e) {
    const std::string said = e.what();
    if (said.find(file.path()) == std::string::npos) return "a message without the file's name: " + said;
    if (said.size() > limits::message) return "a message of " + std::to_string(said.size()) + " bytes";
    return "";
  }
}

}  // namespace

std::string read_hostile_safetensors(std::string_view bytes) {
  return refused_well(bytes, [&](const std::string& path) -> std::string {
    const Safetensors content = load_safetensors(path);
    SafetensorsHeader header{.entries = {}, .metadata = content.metadata};
    std::int64_t end = 0;
    for (const auto& [name, tensor] : content.tensors) {
      header.entries.push_back({name, tensor.type(), end, end + tensor.type().bytes()});
      end += tensor.type().bytes();
    }
    const SafetensorsHeader again = read_header(write_header(header), end);
    if (again.metadata != header.metadata || again.entries.size() != header.entries.size())
      return "another header is read back";
    for (std::size_t i = 0; i < again.entries.size(); ++i)
      if (again.entries[i].name != header.entries[i].name || !(again.entries[i].type == header.entries[i].type))
        return "another tensor is read back";
    return "";
  });
}

std::string read_hostile_idx(std::string_view bytes) {
  return refused_well(bytes, [](const std::string& path) -> std::string {
    load_idx(path);
    return "";
  });
}

std::string read_hostile_csv(std::string_view bytes) {
  return refused_well(bytes, [](const std::string& path) -> std::string {
    const Table table = read_csv(path);
    const Table again = parse_csv(to_csv(table));  // whole where it was -0.0 or 2.0
    if (again.size() != table.size() || again.names() != table.names()) return "another table is read back";
    if (to_csv(parse_csv(to_csv(again))) != to_csv(again)) return "no fixed point:\n" + to_csv(again);
    return "";
  });
}

// What is read is written and read again, with the same bits.
std::string read_hostile_npy(std::string_view bytes) {
  return refused_well(bytes, [](const std::string& path) -> std::string {
    const Tensor tensor = load_npy(path);
    const TemporaryFolder folder;
    save_npy(folder / "a.npy", tensor);
    return same_bits(load_npy(folder / "a.npy"), tensor) ? "" : "another array is read back";
  });
}

std::string read_hostile_npz(std::string_view bytes) {
  return refused_well(bytes, [](const std::string& path) -> std::string {
    const Npz file = load_npz(path);
    std::int64_t unpacked = 0;
    for (const auto& [name, tensor] : file.arrays) unpacked += tensor.type().bytes();
    return unpacked <= limits::unpacked_bytes ? "" : "a small file became " + std::to_string(unpacked) + " bytes";
  });
}

std::string read_hostile_image(std::string_view bytes) {
  return refused_well(bytes, [](const std::string& path) -> std::string {
    const Tensor image = load_image(path, {.channels = 4});
    if (image.count() > 4 * limits::unpacked_bytes) return "a small file became " + to_string(image.type());
    const Tensor small = load_image(path, {.height = 5, .width = 3, .channels = 1, .crop = true});
    return small.shape() == Shape{5, 3, 1} ? "" : "a picture of another size is read";
  });
}

// It is not run: a graph may ask for any amount of work.
std::string read_hostile_exported(std::string_view bytes) {
  return refused_well(bytes, [](const std::string& path) -> std::string {
    const SavedModel model = load_model(path, {.pool = Pool(1)});
    if (const std::optional<TableEncoder>& columns = model.columns()) {
      const std::string json = columns->json();
      if (TableEncoder::parse(json).json() != json) return "other columns are read back";
    }
    return "";
  });
}

}  // namespace oxbow::test
