#include <oxbow/graph/support/near_names.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

namespace oxbow {
namespace {

using Json = nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little, "safetensors are little endian");

constexpr std::int64_t longest_header = 100'000'000;  // the reference implementation's limit
constexpr std::size_t header_alignment = 64;

constexpr std::array<std::pair<std::string_view, DType>, 6> dtypes{
    {{"F32", f32}, {"F64", f64}, {"I32", i32}, {"I64", i64}, {"U8", u8}, {"BOOL", boolean}}};

std::string_view file_name(DType d) {
  return std::find_if(dtypes.begin(), dtypes.end(), [d](const auto& entry) { return entry.second == d; })->first;
}

// One file being read; every complaint names it.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(open(path), &std::fclose) {
    if (!file_) throw Error("cannot read " + path_ + ": " + std::generic_category().message(errno));
    if (std::fseek(file_.get(), 0, SEEK_END) != 0 || (size_ = std::ftell(file_.get())) < 0)
      throw Error("cannot read " + path_ + ": it has no size");
    std::rewind(file_.get());
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(path_ + " is no valid safetensors file: " + what);
  }

  std::int64_t size() const { return size_; }
  void read(std::int64_t at, void* to, std::int64_t count) {
    if (count == 0) return;
    if (std::fseek(file_.get(), at, SEEK_SET) != 0 ||
        std::fread(to, 1, static_cast<std::size_t>(count), file_.get()) != static_cast<std::size_t>(count))
      throw Error("cannot read " + path_ + ": it ended or failed while it was read");
  }

 private:
  // Opening a pipe would wait for whoever writes it, and a device may have no end.
  static std::FILE* open(const std::string& path) {
    std::error_code unknown;
    const auto status = std::filesystem::status(path, unknown);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
      throw Error("cannot read " + path + ": it is no regular file");
    return std::fopen(path.c_str(), "rb");
  }

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::int64_t size_ = 0;
};

// The header as JSON. Two entries of one name are refused: a plain parse would silently keep one of them.
Json parse_header(const Reader& file, const std::string& text) {
  if (text.empty() || text[0] != '{') file.fail("its header does not begin with '{'");
  std::vector<std::set<std::string>> keys;
  std::string twice;
  const auto note = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      twice = parsed.get<std::string>();
    return true;
  };
  Json header;
  try {
    header = Json::parse(text, note);
  } catch (const Json::parse_error& e) {
    file.fail("its header is no JSON at byte " + std::to_string(e.byte));
  }
  if (!twice.empty()) file.fail("its header has " + in_quotes(twice) + " twice");
  return header;
}

struct Entry {
  std::string name;
  Type type;
  std::int64_t begin = 0, end = 0;
};

bool is_size(const Json& j) { return j.is_number_unsigned() && j.get<std::uint64_t>() <= std::uint64_t{1} << 62; }

Entry parse_entry(const Reader& file, const std::string& name, const Json& json, std::int64_t data_bytes) {
  const std::string tensor = "tensor " + in_quotes(name);
  if (!json.is_object()) file.fail(tensor + " is described by no object");
  for (const char* key : {"dtype", "shape", "data_offsets"})
    if (!json.contains(key)) file.fail(tensor + " has no " + in_quotes(key));

  Entry entry;
  entry.name = name;
  const Json& dtype = json["dtype"];
  const auto known = std::find_if(dtypes.begin(), dtypes.end(), [&](const auto& d) { return dtype == d.first; });
  if (known == dtypes.end())
    file.fail(tensor + " has dtype " + dtype.dump() +
              ", which Oxbow does not have. Save it as F32, F64, I32, I64, U8 or BOOL");
  const Json& shape = json["shape"];
  if (!shape.is_array() || !std::all_of(shape.begin(), shape.end(), is_size))
    file.fail(tensor + " has shape " + shape.dump() + ", which is no list of sizes");
  try {
    entry.type = {known->second, Shape(shape.get<std::vector<std::int64_t>>())};
  } catch (const Error& e) {
    file.fail(tensor + ": " + e.what());
  }

  const Json& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !is_size(offsets[0]) || !is_size(offsets[1]))
    file.fail(tensor + " has data_offsets " + offsets.dump() + ", which are no two numbers");
  entry.begin = offsets[0].get<std::int64_t>();
  entry.end = offsets[1].get<std::int64_t>();
  const std::string place = "bytes " + std::to_string(entry.begin) + " to " + std::to_string(entry.end);
  if (entry.begin > entry.end) file.fail(tensor + " is at " + place + ", which is backwards");
  if (entry.end > data_bytes)
    file.fail(tensor + " is at " + place + ", but only " + std::to_string(data_bytes) + " bytes follow the header. " +
              "It was cut short: copy or save it again");
  if (entry.end - entry.begin != entry.type.bytes())
    file.fail(tensor + " is " + to_string(entry.type) + ", which takes " + std::to_string(entry.type.bytes()) +
              " bytes, but it is at " + place);
  return entry;
}

// The format allows neither shared bytes nor bytes that belong to nobody.
void check_places(const Reader& file, std::vector<Entry> entries, std::int64_t data_bytes) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  const Entry* before = nullptr;
  std::int64_t end = 0;
  for (const Entry& e : entries) {
    if (e.begin < end) file.fail("tensors " + in_quotes(before->name) + " and " + in_quotes(e.name) + " share bytes");
    if (e.begin > end)
      file.fail("bytes " + std::to_string(end) + " to " + std::to_string(e.begin) + " belong to no tensor");
    end = e.end;
    before = &e;
  }
  if (end < data_bytes)
    file.fail("bytes " + std::to_string(end) + " to " + std::to_string(data_bytes) + " belong to no tensor");
}

}  // namespace

void save_safetensors(const std::string& path, const Safetensors& content) {
  std::vector<const std::pair<std::string, Tensor>*> tensors;
  std::set<std::string_view> names;
  for (const auto& t : content.tensors) {
    if (t.first == "__metadata__" || !names.insert(t.first).second)
      throw Error("cannot save " + path + ": the name " + in_quotes(t.first) +
                  (t.first == "__metadata__" ? " is reserved by the format" : " is given twice"));
    tensors.push_back(&t);
  }
  std::stable_sort(tensors.begin(), tensors.end(), [](const auto* a, const auto* b) {
    return size_of(a->second.dtype()) > size_of(b->second.dtype());
  });

  Json header = Json::object();
  if (!content.metadata.empty()) header["__metadata__"] = content.metadata;
  std::int64_t end = 0;
  for (const auto* t : tensors) {
    const Type& type = t->second.type();
    invariant(type.layout.plain(), "a packed tensor is saved");
    header[t->first] = {
        {"dtype", file_name(type.dtype)}, {"shape", type.shape.vector()}, {"data_offsets", {end, end + type.bytes()}}};
    end += type.bytes();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::type_error&) {
    throw Error("cannot save " + path + ": a name or metadata is not UTF-8");
  }
  text.append((header_alignment - (sizeof(std::uint64_t) + text.size()) % header_alignment) % header_alignment, ' ');

  AtomicFile file(path);
  const std::uint64_t length = text.size();
  file.write(&length, sizeof length);
  file.write(text);
  for (const auto* t : tensors) file.write(t->second.bytes(), static_cast<std::size_t>(t->second.type().bytes()));
  file.commit();
}

Safetensors load_safetensors(const std::string& path) {
  Reader file(path);
  std::uint64_t length = 0;
  constexpr std::int64_t prefix = sizeof length;
  if (file.size() < prefix) file.fail("it has only " + std::to_string(file.size()) + " bytes");
  file.read(0, &length, prefix);
  if (length > longest_header) file.fail("its first 8 bytes ask for a header of " + std::to_string(length) + " bytes");
  const auto header_bytes = static_cast<std::int64_t>(length);
  if (prefix + header_bytes > file.size())
    file.fail("its header should have " + std::to_string(length) + " bytes, but the file ends after " +
              std::to_string(file.size() - prefix) + ". It was cut short: copy or save it again");
  std::string text(static_cast<std::size_t>(header_bytes), '\0');
  file.read(prefix, text.data(), header_bytes);
  const std::int64_t data = prefix + header_bytes, data_bytes = file.size() - data;

  Safetensors content;
  std::vector<Entry> entries;
  const Json header = parse_header(file, text);
  for (const auto& [name, json] : header.items()) {
    if (name != "__metadata__") {
      entries.push_back(parse_entry(file, name, json, data_bytes));
      continue;
    }
    if (!json.is_object()) file.fail("its \"__metadata__\" is no object");
    for (const auto& [key, value] : json.items()) {
      if (!value.is_string()) file.fail("its \"__metadata__\" has " + in_quotes(key) + ", which is no string");
      content.metadata[key] = value.get<std::string>();
    }
  }
  check_places(file, entries, data_bytes);
  for (const Entry& e : entries) {
    Tensor tensor(e.type);
    file.read(data + e.begin, tensor.bytes(), e.type.bytes());
    if (e.type.dtype == boolean &&
        std::any_of(tensor.bytes(), tensor.bytes() + e.type.bytes(), [](std::byte b) { return b > std::byte{1}; }))
      file.fail("tensor " + in_quotes(e.name) + " is BOOL, but has bytes other than 0 and 1");
    content.tensors.emplace_back(e.name, std::move(tensor));
  }
  return content;
}

}  // namespace oxbow
