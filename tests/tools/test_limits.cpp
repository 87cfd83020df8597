// The limits of what a text, a file or a message may have: the documentation's table has all of them, and what goes
// beyond one is refused with an Error that names it.
#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/pointwise/unary.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/files/safetensors_header.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <set>

#include "history/file.h"
#include "support/has.h"
#include "support/memory_file.h"
#include "support/message.h"
#include "support/places.h"
#include "text_file.h"

BOOST_AUTO_TEST_SUITE(test_limits)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

namespace {

struct Limit {
  std::string name;        // in limits.h
  double value;            // there
  std::string documented;  // in tools/docs/files.md, with the number first
  // Reads what has so many, or holds as much; empty where another test does. `told` is in the error for one too many.
  std::function<void(std::int64_t)> read = {};
  std::string told = {};
};

std::string times(std::int64_t count, std::string_view text) {
  std::string all;
  for (std::int64_t i = 0; i < count; ++i) all += text;
  return all;
}

// `one(0), one(1), ...`, so many of them.
template <class One>
std::string items(std::int64_t count, One&& one) {
  std::string all;
  for (std::int64_t i = 0; i < count; ++i) {
    if (i > 0) all += ',';
    all += one(std::to_string(i));
  }
  return all;
}

void read_scope(const std::string& scope) {
  parse("oxbow graph 1 seed 0 next_stream 1\nforward \"" + scope + "\":\nend", catalog());
  Graph g;
  const Scope inside(g, scope);
}

void read_attribute(const std::string& value) {
  parse("oxbow graph 1 seed 0 next_stream 1\nforward:\n%0 = foo {a: " + value + "} : f32[]\nend", catalog());
}

void fuse_steps(std::int64_t count) {
  Fused f;
  f.tape.inputs = 1;
  for (std::int32_t s = 0; s < count; ++s) f.tape.add(ops::Square{}, std::array{s});
  f.tape.outputs = {1};
  f.infer(std::vector<Type>{{f32, {2}}});
}

void unroll(std::int64_t nodes) {
  Graph g;
  const Value x = input(g, "x", f32, {2});
  compile({repeat(nodes, x, [](Value h) { return h; })});
}

const std::vector<Limit>& table() {
  namespace l = limits;
  static const std::vector<Limit> all = {
      {"shown_name", l::shown_name, "120 bytes"},
      {"shown_names", l::shown_names, "100 names"},
      {"message", l::message, "16 KiB"},
      {"compared_letters", l::compared_letters, "2^24 pairs"},
      {"header_bytes", l::header_bytes, "100 MB",
       [](std::int64_t n) {
         std::string bytes;
         for (int i = 0; i < 8; ++i) bytes += static_cast<char>(n >> (8 * i));
         load_safetensors(MemoryFile(bytes).path());
       },
       "its first 8 bytes ask for a header of 100000001 bytes"},
      {"header_depth", l::header_depth, "32 levels", [](std::int64_t n) { read_header(times(n, "{\"x\":"), 0); },
       "its header nests deeper than 32 levels"},
      {"tensors", l::tensors, "1,000,000 tensors",
       [](std::int64_t n) {
         read_header("{" +
                         items(n,
                               [](const std::string& i) {
                                 return "\"" + i + "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
                               }) +
                         "}",
                     0);
       },
       "it has more than 1000000 tensors"},
      {"metadata_entries", l::metadata_entries, "100,000 entries",
       [](std::int64_t n) {
         read_header("{\"__metadata__\":{" + items(n, [](const std::string& i) { return "\"" + i + "\":\"\""; }) + "}}",
                     0);
       },
       "its \"__metadata__\" has more than 100000 entries"},
      {"text_bytes", l::text_bytes, "1 GiB"},
      {"nodes", l::nodes, "4,000,000 nodes", unroll, " make a graph of more than 4000000 nodes"},
      {"scope_bytes", l::scope_bytes, "1,000 bytes",
       [](std::int64_t n) { read_scope(std::string(static_cast<std::size_t>(n), 'a')); },
       "has 1001 bytes\n  Use at most 1000"},
      {"scope_depth", l::scope_depth, "64 levels", [](std::int64_t n) { read_scope(times(n - 1, "a/") + "a"); },
       "nests 65 levels deep\n  Use at most 64"},
      {"tape_steps", l::tape_steps, "1,024 steps", fuse_steps, "the tape has 1025 steps, more than 1024"},
      {"attribute_depth", l::attribute_depth, "64 levels",
       [](std::int64_t n) { read_attribute(times(n, "[") + times(n, "]")); }, "attributes nest deeper than 64 levels"},
      {"table_bytes", l::table_bytes, "128 MiB"},
      {"splat_bytes", l::splat_bytes, "64 MiB"},
      {"all_splats_bytes", l::all_splats_bytes, "256 MiB"},
      {"known_bytes", l::known_bytes, "64 MiB"},
      {"folded_bytes", l::folded_bytes, "64 MiB"},
      {"plan_bytes", l::plan_bytes, "64 PiB"},
      {"unpacked_bytes", l::unpacked_bytes, "64 MiB"},
      {"unpacked_times", l::unpacked_times, "100 times"},
      {"csv_record_bytes", l::csv_record_bytes, "16 MiB"},
      {"csv_columns", l::csv_columns, "100,000 columns"},
      {"one_hot_columns", l::one_hot_columns, "1,000"},
      {"npy_header_bytes", l::npy_header_bytes, "1 MiB"},
      {"image_side", l::image_side, "65,500 pixels"},
      {"image_passes", l::image_passes, "50 passes"},
      {"npz_name_bytes", l::npz_name_bytes, "60,000 bytes"},
      {"onnx_messages", l::onnx_messages, "4,000,000 messages"},
      {"onnx_depth", l::onnx_depth, "64 levels"},
      {"onnx_calls", l::onnx_calls, "32 functions"},
      {"onnx_nodes", l::onnx_nodes, "1,000,000 nodes"},
      {"onnx_written_out", l::onnx_written_out, "100,000 and one a byte"},
      {"history_bytes", l::history_bytes, "256 MiB"},
      {"history_columns", l::history_columns, "10,000 columns",
       [](std::int64_t n) {
         tools::parse_table(items(n, [](const std::string& i) { return "c" + i; }) + "\n" +
                                items(n, [](const std::string&) { return "1"; }) + "\n",
                            "FILE");
       },
       "FILE: it has more than 10000 columns"},
      {"history_cells", l::history_cells, "100,000,000 cells"},
      {"history_cells_a_byte", l::history_cells_a_byte, "16 cells a byte"},
      {"history_depth", l::history_depth, "32 levels",
       [](std::int64_t n) { tools::parse_table(times(n, "["), "FILE"); }, "FILE: it nests deeper than 32 levels"},
  };
  return all;
}

std::string text_of(const std::string& path) {
  std::ifstream file(source(path));
  return {std::istreambuf_iterator<char>(file), {}};
}

// "100,000,000 cells", "64 MiB", "2^24 pairs".
double number_of(const std::string& documented) {
  std::string digits;
  for (const char c : documented.substr(0, documented.find(' ')))
    if (c != ',') digits += c;
  if (digits.starts_with("2^")) return std::pow(2, std::stod(digits.substr(2)));
  const std::string unit = documented.substr(documented.find(' ') + 1);
  const std::pair<const char*, double> units[] = {
      {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"PiB", 0x1p50}, {"MB", 1e6}};
  for (const auto& [name, size] : units)
    if (unit == name) return size * std::stod(digits);
  return std::stod(digits);
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_limits_are_documented) {
  const std::string code = text_of("graph/support/limits.h"), docs = text_of("tools/docs/files.md");
  const std::size_t begin = docs.find("\n## Limits\n");
  const std::string_view section = std::string_view(docs).substr(begin, docs.find("\n## ", begin + 1) - begin);
  std::set<std::string> there, known;
  const std::regex constant("(\\w+) = [^=]");
  for (auto i = std::sregex_iterator(code.begin(), code.end(), constant); i != std::sregex_iterator(); ++i)
    there.insert((*i)[1]);
  for (const Limit& l : table()) {
    known.insert(l.name);
    BOOST_TEST(number_of(l.documented) == l.value, l.name);
    BOOST_TEST(has(section, l.documented), l.name << ": " << l.documented);
  }
  BOOST_TEST(there == known, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_goes_beyond_a_limit_is_refused) {
  for (const Limit& l : table()) {
    if (!l.read) continue;
    const std::string text = message([&] { l.read(static_cast<std::int64_t>(l.value) + 1); });
    BOOST_TEST(has(text, l.told), l.name << ": " << text);
    // What is just within may be wrong otherwise, as half a file is.
    if (l.value > 1e5) continue;
    const std::string within = message([&] { l.read(static_cast<std::int64_t>(l.value)); });
    BOOST_TEST(!has(within, l.told), l.name << ": " << within);
    BOOST_TEST(!has(within, "more than"), l.name << ": " << within);
  }
  const MemoryFile file("12345");
  BOOST_TEST(tools::read_text(file.path(), 5) == "12345");
  BOOST_TEST(has(message([&] { tools::read_text(file.path(), 4); }), ": it has more than "));
}

BOOST_AUTO_TEST_CASE(messages_have_an_end) {
  const std::string name(limits::shown_name + 1, 'n');
  BOOST_TEST(in_quotes(name).size() <= limits::shown_name + 2);
  BOOST_TEST(in_quotes(name.substr(1)) == "\"" + name.substr(1) + "\"");
  const std::vector<std::string> names(limits::shown_names + 1, "n");
  BOOST_TEST(!has(listed(std::span(names).first(limits::shown_names)), "more"));
  BOOST_TEST(has(listed(names), "1 more"));
  BOOST_TEST(std::string(Error(std::string(limits::message + 1, 'e')).what()).size() <= limits::message);
  BOOST_TEST(std::string(Error(std::string(limits::message, 'e')).what()) == std::string(limits::message, 'e'));
}

BOOST_AUTO_TEST_SUITE_END()
