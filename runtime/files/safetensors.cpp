#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/files/checksum.h>
#include <oxbow/runtime/files/input_file.h>
#include <oxbow/runtime/files/safetensors_header.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <bit>

namespace oxbow {
using namespace internal;

namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little endian");

constexpr std::size_t header_alignment = 64;
constexpr const char* checksum_key = "oxbow.checksum";
// Says that there must be a checksum, so that no damage to its name makes it one that nobody looks at.
constexpr const char *format_key = "oxbow.format", *checked_format = "2";

// Of what a content means: each tensor's name, type and bytes, by name, and the metadata. So it does not depend on the
// order of the file, or on how its header is written.
std::string checksum(const Safetensors& content, const std::map<std::string, std::string>& metadata) {
  std::vector<const std::pair<std::string, Tensor>*> tensors;
  for (const auto& t : content.tensors) tensors.push_back(&t);
  std::sort(tensors.begin(), tensors.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  Checksum sum;
  for (const auto* t : tensors) {
    sum.add(t->first);
    sum.add(to_string(t->second.type()));
    sum.add(t->second.bytes(), static_cast<std::size_t>(t->second.type().bytes()));
  }
  for (const auto& [key, value] : metadata) {
    if (key == checksum_key) continue;
    sum.add(key);
    sum.add(value);
  }
  return "crc64:" + sum.digits();
}

void save(const std::string& path, const Safetensors& content) {
  std::vector<std::string_view> names;
  std::vector<const std::pair<std::string, Tensor>*> tensors;
  for (const auto& t : content.tensors) {
    if (t.first == "__metadata__")
      throw Error("cannot save " + path + ": the name " + in_quotes(t.first) + " is reserved by the format");
    names.push_back(t.first);
    tensors.push_back(&t);
  }
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    throw Error("cannot save " + path + ": the name " + in_quotes(*twice) + " is given twice");
  std::stable_sort(tensors.begin(), tensors.end(), [](const auto* a, const auto* b) {
    return size_of(a->second.dtype()) > size_of(b->second.dtype());
  });

  SafetensorsHeader header{.entries = {}, .metadata = content.metadata};
  header.metadata[format_key] = checked_format;
  header.metadata[checksum_key] = checksum(content, header.metadata);
  std::int64_t end = 0;
  for (const auto* t : tensors) {
    const Type& type = t->second.type();
    invariant(type.layout.plain(), "a packed tensor is saved");
    header.entries.push_back({t->first, type, end, end + type.bytes()});
    end += type.bytes();
  }
  std::string text;
  try {
    text = write_header(header);
  } catch (const Error& e) {
    throw Error("cannot save " + path + ": " + e.what());
  }
  text.append((header_alignment - (sizeof(std::uint64_t) + text.size()) % header_alignment) % header_alignment, ' ');

  AtomicFile file(path);
  const std::uint64_t length = text.size();
  file.write(&length, sizeof length);
  file.write(text);
  for (const auto* t : tensors) file.write(t->second.bytes(), static_cast<std::size_t>(t->second.type().bytes()));
  file.commit();
}

Safetensors load(const std::string& path) {
  const InputFile file(path);
  const auto fail = [&](const std::string& what) { throw Error(path + " is not a valid safetensors file: " + what); };
  auto [header, data] = read_header(file);
  Safetensors content{.tensors = {}, .metadata = std::move(header.metadata)};
  for (const auto& e : header.entries) {
    Tensor tensor(e.type);
    file.read(data + e.begin, tensor.bytes(), e.type.bytes());
    if (e.type.dtype == boolean &&
        std::any_of(tensor.bytes(), tensor.bytes() + e.type.bytes(), [](std::byte b) { return b > std::byte{1}; }))
      fail("tensor " + in_quotes(e.name) + " is BOOL, but has bytes other than 0 and 1");
    content.tensors.emplace_back(e.name, std::move(tensor));
  }
  if (const auto written = content.metadata.find(checksum_key); written != content.metadata.end()) {
    if (const std::string found = checksum(content, content.metadata); found != written->second)
      fail("its content has the checksum " + found + ", but was written with " + in_quotes(written->second) +
           ". It was damaged: copy it again, or take an older one. If another program changed it on purpose, remove "
           "\"oxbow.checksum\" and \"oxbow.format\" from its metadata");
    content.metadata.erase(written);
  } else if (content.metadata.contains(format_key)) {
    fail(
        "its metadata has \"oxbow.format\", but no \"oxbow.checksum\". It was damaged: copy it again, or take an older "
        "one. If another program changed it on purpose, remove \"oxbow.format\" as well");
  }
  content.metadata.erase(format_key);
  return content;
}

}  // namespace

std::pair<SafetensorsHeader, std::int64_t> internal::read_header(const InputFile& file) {
  const auto fail = [&](const std::string& what) {
    throw Error(file.path() + " is not a valid safetensors file: " + what);
  };
  std::uint64_t length = 0;
  constexpr std::int64_t prefix = sizeof length;
  if (file.size() < prefix) fail("it has only " + std::to_string(file.size()) + " bytes");
  file.read(0, &length, prefix);
  if (length > limits::header_bytes) fail("its first 8 bytes ask for a header of " + std::to_string(length) + " bytes");
  const auto header_bytes = static_cast<std::int64_t>(length);
  if (prefix + header_bytes > file.size())
    fail("its header should have " + std::to_string(length) + " bytes, but the file ends after " +
         std::to_string(file.size() - prefix) + ". It was cut short: copy or save it again");
  std::string text(static_cast<std::size_t>(header_bytes), '\0');
  file.read(prefix, text.data(), header_bytes);
  const std::int64_t data = prefix + header_bytes;
  try {
    return {read_header(text, file.size() - data), data};
  } catch (const Error& e) {
    fail(e.what());
  }
  return {};
}

void save_safetensors(const std::string& path, const Safetensors& content) {
  with_own_errors("cannot save", path, [&] { save(path, content); });
}

Safetensors load_safetensors(const std::string& path) {
  return with_own_errors("cannot read", path, [&] { return load(path); });
}

}  // namespace oxbow
