#include "onnx/read/wire.h"

#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>

#include <cstring>
#include <span>

namespace oxbow::onnx {
using namespace internal;

namespace {

// The messages of the schema that hold others, by the numbers of those fields. What is not here is text, numbers, or
// unknown: protobuf keeps it.
struct Message;
struct Field {
  std::uint32_t number;
  const Message* message;
  bool repeated;
};
struct Message {
  std::span<const Field> fields;
  bool is_tensor = false;
};

constexpr bool many = true, one = false;
extern const Message attribute, graph, type;
const Message plain{};
const Field tensor_fields[] = {{3, &plain, one}, {13, &plain, many}};
const Message tensor{tensor_fields, true};
const Field sparse_fields[] = {{1, &tensor, one}, {2, &tensor, one}};
const Message sparse{sparse_fields};
const Field shape_fields[] = {{1, &plain, many}};
const Message shape{shape_fields};
const Field dense_type_fields[] = {{2, &shape, one}};
const Message dense_type{dense_type_fields};
const Field element_fields[] = {{1, &type, one}};
const Message element{element_fields};
const Field map_fields[] = {{2, &type, one}};
const Message map{map_fields};
const Field type_fields[] = {
    {1, &dense_type, one}, {4, &element, one}, {5, &map, one}, {8, &dense_type, one}, {9, &element, one}};
const Message type{type_fields};
const Field value_info_fields[] = {{2, &type, one}};
const Message value_info{value_info_fields};
const Field node_fields[] = {{5, &attribute, many}};
const Message node{node_fields};
const Field attribute_fields[] = {{5, &tensor, one}, {6, &graph, one},  {10, &tensor, many}, {11, &graph, many},
                                  {14, &type, one},  {15, &type, many}, {22, &sparse, one},  {23, &sparse, many}};
const Message attribute{attribute_fields};
const Field annotation_fields[] = {{2, &plain, many}};
const Message annotation{annotation_fields};
const Field graph_fields[] = {{1, &node, many},        {5, &tensor, many},      {11, &value_info, many},
                              {12, &value_info, many}, {13, &value_info, many}, {14, &annotation, many},
                              {15, &sparse, many}};
const Message graph{graph_fields};
const Field training_fields[] = {{1, &graph, one}, {2, &graph, one}, {3, &plain, many}, {4, &plain, many}};
const Message training{training_fields};
const Field function_fields[] = {{7, &node, many}, {9, &plain, many}};
const Message function{function_fields};
const Field model_fields[] = {
    {7, &graph, one}, {8, &plain, many}, {14, &plain, many}, {20, &training, many}, {25, &function, many}};
const Message model{model_fields};

enum Wire : std::uint32_t { varint = 0, eight_bytes = 1, bytes = 2, four_bytes = 5 };

bool holds_elements(std::uint32_t field) {
  return field == 4 || field == 5 || field == 7 || (field >= 9 && field <= 11);
}

class Scan {
 public:
  explicit Scan(std::string_view file) : file_(file) {}

  Scanned run(const Message& root) {
    message(root, file_, done_.rest, 0);
    return std::move(done_);
  }

 private:
  [[noreturn]] void fail(const char* at, const std::string& what) const {
    throw Error("at byte " + std::to_string(at - file_.data()) + " " + what);
  }

  std::uint64_t number(std::string_view& in) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 10 && i < in.size(); ++i) {
      const auto byte = static_cast<std::uint8_t>(in[i]);
      if (i == 9 && byte > 1) break;
      value |= std::uint64_t{byte & 127u} << (7 * i);
      if (byte >= 128) continue;
      in.remove_prefix(i + 1);
      return value;
    }
    fail(in.data(), in.size() < 10 ? "it ends within a number" : "a number has more than 64 bits");
  }

  std::string_view take(std::string_view& in, std::uint64_t count) const {
    if (count > in.size())
      fail(in.data(), "it should go on for " + std::to_string(count) + " bytes, but ends after " +
                          std::to_string(in.size()) + ". It was cut short, or is no ONNX file");
    const std::string_view taken = in.substr(0, count);
    in.remove_prefix(count);
    return taken;
  }

  static void put(std::string& out, std::uint64_t value) {
    for (; value >= 128; value >>= 7) out += static_cast<char>(value | 128);
    out += static_cast<char>(value);
  }

  void count(const char* at) {
    if (++messages_ > limits::onnx_messages)
      fail(at, "it has more than " + std::to_string(limits::onnx_messages) + " messages and texts");
  }

  void message(const Message& kind, std::string_view in, std::string& out, int depth) {
    if (depth > limits::onnx_depth)
      fail(in.data(), "messages nest more than " + std::to_string(limits::onnx_depth) + " levels deep");
    TensorBytes elements;
    std::uint64_t seen = 0;
    while (!in.empty()) {
      const char* const begin = in.data();
      const std::uint64_t key = number(in);
      if (key >> 32 != 0 || key >> 3 == 0) fail(begin, "there is no field number " + std::to_string(key >> 3));
      const auto field = static_cast<std::uint32_t>(key >> 3);
      std::string_view body;
      switch (key & 7) {
        case varint: {
          const std::string_view before = in;
          number(in);
          body = before.substr(0, before.size() - in.size());
          break;
        }
        case eight_bytes:
          body = take(in, 8);
          break;
        case four_bytes:
          body = take(in, 4);
          break;
        case bytes:
          body = take(in, number(in));
          count(begin);
          break;
        default:
          fail(begin, "there is wire type " + std::to_string(key & 7) + ", which ONNX does not use");
      }
      if (kind.is_tensor && holds_elements(field)) {
        const bool packed = (key & 7) == bytes;
        if (elements.field != 0 &&
            (elements.field != static_cast<int>(field) || elements.packed != packed || field == 9))
          fail(begin, "a tensor has its elements twice");
        elements.field = static_cast<int>(field);
        elements.packed = packed;
        elements.pieces.push_back(body);
        continue;
      }
      const Field* inner = nullptr;
      for (const Field& f : kind.fields)
        if (f.number == field) inner = &f;
      if (inner == nullptr) {
        out.append(begin, in.data());
        continue;
      }
      if ((key & 7) != bytes) fail(begin, "field " + std::to_string(field) + " is no message");
      if (!inner->repeated) {
        if (seen >> field & 1) fail(begin, "field " + std::to_string(field) + " is there twice");
        seen |= std::uint64_t{1} << field;
      }
      put(out, key);
      std::string rest;
      message(*inner->message, body, rest, depth + 1);
      put(out, rest.size());
      out += rest;
    }
    if (elements.field == 0) return;
    const std::uint64_t place = done_.tensors.size();
    put(out, 9 << 3 | bytes);
    put(out, sizeof place);
    out.append(reinterpret_cast<const char*>(&place), sizeof place);
    done_.tensors.push_back(std::move(elements));
  }

  const std::string_view file_;
  std::int64_t messages_ = 0;
  Scanned done_;
};

}  // namespace

Scanned scan(std::string_view file, Root root) { return Scan(file).run(root == Root::model ? model : tensor); }

}  // namespace oxbow::onnx
