#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/runtime/files/safetensors_header.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace oxbow::internal {
namespace {

using Json = nlohmann::json;
using Entry = SafetensorsHeader::Entry;

constexpr std::string_view metadata_key = "__metadata__";
constexpr std::uint64_t largest_size = std::uint64_t{1} << 62;

// The format's name of a dtype is ours in capitals.
std::string file_name(DType d) {
  std::string text(name(d));
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::string file_names() {
  std::string names;
  for (DType d : all_dtypes) names += (names.empty() ? "" : d == all_dtypes.back() ? " or " : ", ") + file_name(d);
  return names;
}

[[noreturn]] void fail(const std::string& what) { throw Error(what); }

// What a key of a tensor says: its sizes, where it is a list of them, and as much of its JSON as a message shows.
class Field {
 public:
  void begin() { given_ = true; }
  void add_size(std::uint64_t size) {
    if (sizes_.size() <= Shape::max_rank) sizes_.push_back(static_cast<std::int64_t>(size));
  }
  void set_list(bool yes) { list_ = yes; }
  void show(std::string_view piece, bool separate) {
    if (shown_.size() > limits::shown_name) return;
    if (separate && !shown_.empty() && shown_.back() != '[' && shown_.back() != '{' && shown_.back() != ':')
      shown_ += ',';
    shown_ += piece.substr(0, limits::shown_name);
    if (shown_.size() > limits::shown_name) shown_ = shown_.substr(0, limits::shown_name) + "...";
  }

  bool given() const { return given_; }
  const std::string& shown() const { return shown_; }
  /// The sizes, one more than a shape can have at most; none where it is not a list of them.
  std::optional<std::vector<std::int64_t>> sizes() const { return list_ ? std::optional(sizes_) : std::nullopt; }

 private:
  bool given_ = false, list_ = false;
  std::vector<std::int64_t> sizes_;
  std::string shown_;
};

// Takes the events of the JSON library's parser. Members that it calls have its names.
class HeaderReader {
 public:
  explicit HeaderReader(std::int64_t data_bytes) : data_bytes_(data_bytes) {}
  SafetensorsHeader take() { return std::move(header_); }

  bool null() { return scalar("null"); }
  bool boolean(bool value) { return scalar(value ? "true" : "false"); }
  bool number_integer(Json::number_integer_t value) { return scalar(std::to_string(value)); }
  bool number_unsigned(Json::number_unsigned_t value) {
    if (field_ && depth_ == 3 && value <= largest_size) {
      field_->add_size(value);
      field_->show(std::to_string(value), true);
      return true;
    }
    return scalar(std::to_string(value));
  }
  bool number_float(Json::number_float_t, const std::string& text) { return scalar(text); }
  bool binary(Json::binary_t&) { fail("its header is no JSON"); }  // which JSON does not have

  bool string(std::string& text) {
    if (depth_ == 2 && in_metadata_) {
      if (header_.metadata.size() == limits::metadata_entries)
        fail("its \"__metadata__\" has more than " + std::to_string(limits::metadata_entries) + " entries");
      if (!header_.metadata.try_emplace(key_, std::move(text)).second)
        fail("its \"__metadata__\" has " + in_quotes(key_) + " twice");
      return true;
    }
    return scalar(in_quotes(text));
  }

  bool key(std::string& name) {
    if (depth_ == 1) {
      in_metadata_ = name == metadata_key;
      if (in_metadata_ && std::exchange(has_metadata_, true)) fail("its header has \"__metadata__\" twice");
      if (!in_metadata_) begin_tensor(name);
    } else if (depth_ == 2 && in_metadata_) {
      key_ = std::move(name);
    } else if (depth_ == 2) {
      field_ = name == "dtype"          ? &dtype_
               : name == "shape"        ? &shape_
               : name == "data_offsets" ? &offsets_
                                        : nullptr;  // the format may get more of them
      if (field_ && field_->given()) fail(tensor() + " has " + in_quotes(name) + " twice");
      if (field_) field_->begin();
    } else if (field_) {
      field_->show(in_quotes(name) + ":", true);
    }
    return true;
  }

  bool start_object(std::size_t) { return start('{'); }
  bool end_object() {
    if (depth_ == 2 && !in_metadata_) end_tensor();
    return end('}');
  }
  bool start_array(std::size_t) {
    start('[');
    if (field_ && depth_ == 3) field_->set_list(true);
    return true;
  }
  bool end_array() { return end(']'); }

  [[noreturn]] bool parse_error(std::size_t at, const std::string&, const Json::exception& e) {
    constexpr int out_of_range = 406;
    fail((e.id == out_of_range ? "its header has a number beyond a double's range at byte "
                               : "its header is no JSON at byte ") +
         std::to_string(at));
  }

 private:
  std::string tensor() const { return "tensor " + in_quotes(entry_.name); }

  bool scalar(std::string_view shown) {
    check_place();
    if (field_) {
      field_->show(shown, true);
      field_->set_list(false);
    }
    return true;
  }

  // What is not an object where one must be, or no string.
  void check_place() const {
    if (depth_ == 1)
      fail(in_metadata_ ? "its \"__metadata__\" is not an object" : tensor() + " is described by no object");
    if (depth_ == 2 && in_metadata_) fail("its \"__metadata__\" has " + in_quotes(key_) + ", which is not a string");
  }

  bool start(char bracket) {
    if (depth_ == 1 ? bracket != '{' : depth_ > 1) check_place();
    if (depth_ == limits::header_depth)
      fail("its header nests deeper than " + std::to_string(limits::header_depth) + " levels");
    if (field_ && depth_ > 1) {
      field_->show(std::string(1, bracket), true);
      field_->set_list(false);
    }
    ++depth_;
    return true;
  }

  bool end(char bracket) {
    --depth_;
    if (field_ && depth_ > 1) field_->show(std::string(1, bracket), false);
    if (depth_ == 1) field_ = nullptr;
    return true;
  }

  void begin_tensor(std::string& name) {
    if (header_.entries.size() == limits::tensors)
      fail("it has more than " + std::to_string(limits::tensors) + " tensors");
    entry_ = {};
    entry_.name = std::move(name);
    dtype_ = shape_ = offsets_ = {};
  }

  void end_tensor() {
    for (const auto& [field, name] : {std::pair{&dtype_, "dtype"}, {&shape_, "shape"}, {&offsets_, "data_offsets"}})
      if (!field->given()) fail(tensor() + " has no " + in_quotes(name));
    const auto* known = std::find_if(all_dtypes.begin(), all_dtypes.end(),
                                     [&](DType d) { return dtype_.shown() == in_quotes(file_name(d)); });
    if (known == all_dtypes.end())
      fail(tensor() + " has dtype " + dtype_.shown() + ", which Oxbow does not have. Save it as " + file_names());
    const auto sizes = shape_.sizes(), places = offsets_.sizes();
    if (!sizes) fail(tensor() + " has shape " + shape_.shown() + ", which is not a list of sizes");
    if (sizes->size() > Shape::max_rank)
      fail(tensor() + " has shape " + shape_.shown() + ", but a shape has at most 8 axes");
    try {
      entry_.type = {*known, Shape(*sizes)};
    } catch (const Error& e) {
      fail(tensor() + ": " + e.what());
    }
    if (!places || places->size() != 2)
      fail(tensor() + " has data_offsets " + offsets_.shown() + ", which are no two numbers");
    entry_.begin = places->front();
    entry_.end = places->back();
    check_place_of_data();
    header_.entries.push_back(std::move(entry_));
  }

  void check_place_of_data() const {
    const std::string place = "bytes " + std::to_string(entry_.begin) + " to " + std::to_string(entry_.end);
    if (entry_.begin > entry_.end) fail(tensor() + " is at " + place + ", which is backwards");
    if (entry_.end > data_bytes_)
      fail(tensor() + " is at " + place + ", but only " + std::to_string(data_bytes_) + " bytes follow the header. " +
           "It was cut short: copy or save it again");
    if (entry_.end - entry_.begin != entry_.type.bytes())
      fail(tensor() + " is " + to_string(entry_.type) + ", which takes " + std::to_string(entry_.type.bytes()) +
           " bytes, but it is at " + place);
  }

  std::int64_t data_bytes_;
  SafetensorsHeader header_;
  int depth_ = 0;  // objects and lists around what comes
  bool in_metadata_ = false, has_metadata_ = false;
  std::string key_;         // of the metadata
  Entry entry_;             // the tensor that is being read
  Field* field_ = nullptr;  // of that, what is being read; null for a key that means nothing here
  Field dtype_, shape_, offsets_;
};

void check_names(const std::vector<Entry>& entries) {
  std::vector<std::string_view> names;
  for (const Entry& e : entries) names.push_back(e.name);
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    fail("its header has " + in_quotes(*twice) + " twice");
}

// The format allows neither shared bytes nor bytes that belong to nobody.
void check_places(const std::vector<Entry>& entries, std::int64_t data_bytes) {
  std::vector<const Entry*> order;
  for (const Entry& e : entries) order.push_back(&e);
  std::stable_sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  const auto nobodys = [](std::int64_t from, std::int64_t to) {
    fail("bytes " + std::to_string(from) + " to " + std::to_string(to) + " belong to no tensor");
  };
  const Entry* before = nullptr;
  std::int64_t end = 0;
  for (const Entry* e : order) {
    if (e->begin < end) fail("tensors " + in_quotes(before->name) + " and " + in_quotes(e->name) + " share bytes");
    if (e->begin > end) nobodys(end, e->begin);
    end = e->end;
    before = e;
  }
  if (end < data_bytes) nobodys(end, data_bytes);
}

}  // namespace

SafetensorsHeader read_header(std::string_view json, std::int64_t data_bytes) {
  if (!json.starts_with('{')) fail("its header does not begin with '{'");
  HeaderReader reader(data_bytes);
  Json::sax_parse(json.begin(), json.end(), &reader);
  SafetensorsHeader header = reader.take();
  check_names(header.entries);
  check_places(header.entries, data_bytes);
  return header;
}

std::string write_header(const SafetensorsHeader& header) {
  const auto quoted = [](const std::string& text) {
    try {
      return Json(text).dump();
    } catch (const Json::type_error&) {
      fail("a name or metadata is not UTF-8");
    }
  };
  std::string out = "{";
  const auto begin = [&](const std::string& key) {
    if (out.back() != '{') out += ',';
    out += quoted(key) + ':';
  };
  if (!header.metadata.empty()) {
    begin(std::string(metadata_key));
    out += '{';
    for (const auto& [key, value] : header.metadata) {
      begin(key);
      out += quoted(value);
    }
    out += '}';
  }
  for (const Entry& e : header.entries) {
    begin(e.name);
    out.append(R"({"dtype":")").append(file_name(e.type.dtype)).append(R"(","shape":[)");
    for (const std::int64_t size : e.type.shape) {
      if (out.back() != '[') out += ',';
      out += std::to_string(size);
    }
    out += R"(],"data_offsets":[)" + std::to_string(e.begin) + ',' + std::to_string(e.end) + "]}";
  }
  return out + '}';
}

}  // namespace oxbow::internal
