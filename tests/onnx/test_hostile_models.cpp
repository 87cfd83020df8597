// ONNX files that were cut or damaged: an error, or a model. Labels: memory.
#include <oxbow/onnx.h>

#include <boost/test/unit_test.hpp>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>

#include "hostile_model.h"
#include "make_model.h"
#include "support/has.h"
#include "support/memory_file.h"
#include "support/message.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_hostile_models)

using namespace oxbow;
using namespace oxbow::test;

namespace {

std::string small_model() {
  MakeModel m;
  m.input("x", {"n", "2"}).output("y");
  m.initialiser("w", Tensor::of<float>({2, 2}, {1, 2, 3, 4})).initialiser("to", Tensor::of<std::int64_t>({2}, {-1, 2}));
  auto& list = *m.model.mutable_graph()->add_initializer();
  list.set_name("list");
  list.set_data_type(7);
  list.add_dims(2);
  list.add_int64_data(2);
  list.add_int64_data(-1);
  m.node("MatMul", {"x", "w"}, {"h"}, "/a/MatMul");
  m.node("Reshape", {"h", "list"}, {"r"});
  m.node("Reshape", {"r", "to"}, {"y"});
  return m.bytes();
}

// What an import of this model says.
std::string said(const MakeModel& m, const OnnxImportOptions& options = {}) {
  const MemoryFile file(m.bytes());
  return message([&] {
    Graph g;
    import_onnx(g, file.path(), options);
  });
}

// A model of one node, called "/node", on `x`, that reads the numbers `in` as i0, i1, ...
using Change = std::function<void(onnx_schema::NodeProto&)>;
MakeModel one_node(const std::string& type, const std::vector<std::string>& inputs, const std::vector<Tensor>& in,
                   const Change& change = {}, std::int64_t opset = 17) {
  MakeModel m(opset);
  m.input("x", {"1", "4", "1"}).output("y");
  for (std::size_t i = 0; i < in.size(); ++i) m.initialiser("i" + std::to_string(i), in[i]);
  auto& node = m.node(type, inputs, {"y"}, "/node");
  if (change) change(node);
  return m;
}

Tensor whole(std::int64_t n) { return Tensor::scalar(n); }
Tensor nothing(DType dtype = i64) { return Tensor(Type{dtype, {0}}); }

Change loop(const std::vector<std::string>& takes, const std::vector<std::string>& gives) {
  return [=](onnx_schema::NodeProto& node) { MakeModel::body(node, "body", takes, gives); };
}

struct Refused {
  std::string what;
  MakeModel model;
  std::string told;
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_a_node_lacks_is_told_with_its_name) {
  const std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  const auto axis = [](std::int64_t n) { return [n](auto& node) { MakeModel::number(node, "axis", n); }; };
  const std::vector<Tensor> hot{whole(3), Tensor::of<float>({2}, {0, 1})};
  const Tensor low = Tensor::scalar(0.0F), high = Tensor::scalar(4000.0F);
  const std::vector<std::string> five{"i0", "i1", "i2", "i3", "i4"};
  const auto mel = [&](std::int64_t bins, std::int64_t length) {
    return one_node("MelWeightMatrix", five, {whole(bins), whole(length), whole(8192), low, high});
  };
  const std::vector<Refused> all = {
      {"a loop whose body gives nothing", one_node("Loop", {"i0"}, {whole(3)}, loop({"i", "c"}, {})),
       "it has 1 inputs"},
      {"the same with a condition", one_node("Loop", {"i0", ""}, {whole(3)}, loop({"i", "c"}, {})), "too few values"},
      {"a loop without inputs", one_node("Loop", {}, {}, loop({"i", "c"}, {})), "it has 0 inputs"},
      {"a loop's empty number of steps",
       one_node("Loop", {"i0", "", "x"}, {nothing()}, loop({"i", "c", "s"}, {"c", "s"})),
       "its input 0 has 0 elements, not one"},
      {"a branch without a condition",
       one_node("If", {}, {},
                [](auto& node) {
                  MakeModel::body(node, "then_branch", {}, {"x"});
                  MakeModel::body(node, "else_branch", {}, {"x"});
                }),
       "its input 0 is absent"},
      {"a scan without inputs",
       one_node("Scan", {}, {},
                [](auto& node) {
                  MakeModel::number(node, "num_scan_inputs", 1);
                  MakeModel::body(node, "body", {}, {});
                }),
       "it has fewer inputs than it scans"},
      {"a scan of fewer than no inputs",
       one_node("Scan", {"x"}, {},
                [](auto& node) {
                  MakeModel::number(node, "num_scan_inputs", -1);
                  MakeModel::body(node, "body", {}, {});
                }),
       "it has fewer inputs than it scans"},
      {"an axis that is empty", one_node("DFT", {"x", "", "i0"}, {nothing()}, {}, 20), "its input 2 has 0 elements"},
      {"frames without a step", one_node("STFT", {"x"}, {}), "its input 1 is absent"},
      {"frames of an empty step", one_node("STFT", {"x", "i0"}, {nothing()}), "its input 1 has 0 elements"},
      {"frames of an empty length", one_node("STFT", {"x", "i0", "", "i1"}, {whole(2), nothing()}),
       "its input 3 has 0 elements"},
      {"weights of nothing", one_node("MelWeightMatrix", {}, {}), " is absent"},
      {"weights of an empty number", one_node("MelWeightMatrix", five, {whole(8), nothing(), whole(8192), low, high}),
       "its input 1 has 0 elements"},
      {"weights of an empty edge",
       one_node("MelWeightMatrix", five, {whole(8), whole(16), whole(8192), nothing(f32), high}),
       "its input 3 has 0 elements"},
      {"too many weights", mel(std::int64_t{1} << 31, std::int64_t{1} << 31), "more than 8388608 weights"},
      {"as many bins as there are numbers", mel(std::numeric_limits<std::int64_t>::max(), 1),
       "more than 8388608 weights"},
      {"as long a spectrum", mel(1, std::numeric_limits<std::int64_t>::max()), "more than 8388608 weights"},
      {"columns without an image", one_node("Col2Im", {"x"}, {}), "its input 1 is absent"},
      {"columns without a block", one_node("Col2Im", {"x", "i0"}, {Tensor::of<std::int64_t>({2}, {2, 2})}),
       "its input 2 is absent"},
      {"a dropout of an empty rate", one_node("Dropout", {"x", "i0"}, {nothing(f32)}), "its input 1 has 0 elements"},
      {"a dropout that is asked for by nothing",
       one_node("Dropout", {"x", "i0", "i1"}, {Tensor::scalar(0.5F), nothing(boolean)}), "its input 2 has 0 elements"},
      {"an old slice without begins", one_node("Slice", {"x"}, {}, {}, 9), "s\" is absent"},
      {"an old pad without pads", one_node("Pad", {"x"}, {}, {}, 9), "attribute \"pads\" is absent"},
      {"an axis far below", one_node("OneHot", {"x", "i0", "i1"}, hot, axis(-(std::int64_t{1} << 40))),
       "so there is no axis -1099511627776 to put in"},
      {"the lowest axis", one_node("OneHot", {"x", "i0", "i1"}, hot, axis(lowest)),
       "so there is no axis -9223372036854775808 to put in"},
      {"an axis one too far", one_node("OneHot", {"x", "i0", "i1"}, hot, axis(4)), "Give one from -4 to 3"},
  };
  for (const Refused& r : all) {
    const std::string text = said(r.model);
    BOOST_TEST(has(text, r.told), r.what << ": " << text);
    BOOST_TEST(has(text, "node \"/node\" ("), r.what << ": " << text);
  }
}

BOOST_AUTO_TEST_CASE(what_a_small_file_repeats_has_an_end) {
  // A small file to little more than 100,000.
  const std::string many = "with its functions and loops written out it has more than ";
  const auto calls = [](MakeModel& m, int count) -> MakeModel& {
    m.model.add_opset_import()->set_domain("own");
    m.input("x", {"2"}).output("y0");
    for (int i = 0; i < count; ++i) m.node("F", {"x"}, {"y" + std::to_string(i)}).set_domain("own");
    return m;
  };
  const auto names = [](int count) {
    std::vector<std::string> all{"a"};
    for (int i = 1; i < count; ++i) all.push_back("a" + std::to_string(i));
    return all;
  };
  MakeModel sums;  // a node that becomes 20,000
  auto& sum = *sums.function("F", {"a"}, {"b"}).add_node();
  sum.set_op_type("Sum");
  for (int i = 0; i < 20'000; ++i) sum.add_input("a");
  sum.add_output("b");
  calls(sums, 150);
  MakeModel joins;  // a node that reads 20,000
  auto& join = *joins.function("F", {"a"}, {"b"}).add_node();
  join.set_op_type("Concat");
  MakeModel::number(join, "axis", 0);
  for (int i = 0; i < 20'000; ++i) join.add_input("a");
  join.add_output("b");
  calls(joins, 300);
  MakeModel takes;  // a function that takes 20,000 values
  takes.function("F", names(20'000), {"a"});
  calls(takes, 300);
  const std::vector<Refused> all = {
      {"sums of many", sums, many},
      {"joins of many", joins, many},
      {"calls with many inputs", takes, many},
      {"a loop without an end", one_node("Loop", {"", "", "x"}, {}, loop({"i", "c", "s"}, {"c", "s"})), many + "100"},
      {"a loop that counts far",
       one_node("Loop", {"i0", "", "x"}, {whole(1'000'000'000)}, loop({"i", "c", "s"}, {"c", "s", "i"})), many + "100"},
  };
  for (const Refused& r : all) {
    const std::string text = said(r.model);
    BOOST_TEST(has(text, r.told), r.what << ": " << text);
  }
}

// Each of these took a second or more when its time grew with the square of its size; ten times what they take now.
BOOST_AUTO_TEST_CASE(time_is_in_proportion_to_what_a_file_says) {
  MakeModel opsets;  // a function with many opsets, called often
  opsets.model.add_opset_import()->set_domain("own");
  auto& f = opsets.function("F", {"a"}, {"a"});
  for (int i = 0; i < 10'000; ++i) {
    auto& set = *f.add_opset_import();
    set.set_domain("d" + std::to_string(i));
    set.set_version(1);
  }
  opsets.input("x", {"2"}).output("y0");
  for (int i = 0; i < 1000; ++i) opsets.node("F", {"x"}, {"y" + std::to_string(i)}).set_domain("own");
  MakeModel chain;  // constants, each from the one before
  chain.input("x", {"2"}).output("a20000").initialiser("a0", whole(1)).initialiser("one", whole(1));
  for (int i = 0; i < 20'000; ++i) chain.node("Add", {"a" + std::to_string(i), "one"}, {"a" + std::to_string(i + 1)});
  for (const auto& [what, model] : {std::pair("opsets", &opsets), {"a chain", &chain}}) {
    const std::clock_t begin = std::clock();
    BOOST_TEST(said(*model) == "no error", what);
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    BOOST_TEST(seconds < 1.5, what << ": " << seconds << " s");
  }
}

BOOST_AUTO_TEST_CASE(a_long_text_of_the_file_is_shown_in_part) {
  const std::string text = said(one_node("Einsum", {"x"}, {}, [](auto& node) {
    auto& a = *node.add_attribute();
    a.set_name("equation");
    a.set_type(onnx_schema::AttributeProto::STRING);
    a.set_s(std::string(100'000, 'a'));
  }));
  BOOST_TEST(has(text, "its subscripts are \"aaaa"), text);
  BOOST_TEST(text.size() < 1000);
}

BOOST_AUTO_TEST_CASE(a_model_without_parameters_says_so) {
  const std::string text = said(one_node("Relu", {"x"}, {}), {.train = {"nosuch"}});
  BOOST_TEST(has(text, "no parameter is called \"nosuch\".\n  The model has no parameters"), text);
  const std::string size = said(one_node("Relu", {"x"}, {}), {.sizes = {{"nosuch", 3}}});
  BOOST_TEST(has(size, "no axis of an input is called \"nosuch\"\n  All sizes of its inputs are fixed"), size);
}

BOOST_AUTO_TEST_CASE(every_truncation_is_refused_or_read) {
  const std::string whole = small_model();
  for (std::size_t size = 0; size < whole.size(); ++size)
    BOOST_TEST(read_hostile_model(whole.substr(0, size)) == "", size << " bytes");
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_is_refused_or_read) {
  std::string bytes = small_model();
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
      BOOST_TEST(read_hostile_model(bytes) == "", "bit " << bit << " of byte " << i);
      bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
    }
}

BOOST_AUTO_TEST_CASE(files_that_a_fuzzer_starts_from_are_read_or_refused) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source("tests/fuzz/corpus/onnx"))) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    BOOST_TEST(read_hostile_model(bytes) == "", entry.path());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<char>(~bytes[i]);
      BOOST_TEST(read_hostile_model(bytes) == "", entry.path() << ", byte " << i);
      bytes[i] = static_cast<char>(~bytes[i]);
    }
    ++files;
  }
  BOOST_TEST(files >= 13);
}

BOOST_AUTO_TEST_CASE(what_is_too_deep_or_too_large_is_refused) {
  const TemporaryFolder folder;
  const std::string path = folder / "net.onnx";
  MakeModel deep;
  auto* graph = deep.model.mutable_graph();
  for (int i = 0; i < 50; ++i) {
    auto& a = *graph->add_node()->add_attribute();
    a.set_type(onnx_schema::AttributeProto::GRAPH);
    graph = a.mutable_g();
  }
  std::ofstream(path, std::ios::binary) << deep.bytes();
  Graph g;
  BOOST_TEST(message([&] { import_onnx(g, path); }).find("levels deep") != std::string::npos);

  MakeModel large;  // a tensor of 2^40 elements that has none
  auto& t = *large.model.mutable_graph()->add_initializer();
  t.set_name("w");
  t.set_data_type(1);
  t.add_dims(std::int64_t{1} << 40);
  large.input("x", {"1"}).output("y");
  large.node("Add", {"x", "w"}, {"y"});
  std::ofstream(path, std::ios::binary | std::ios::trunc) << large.bytes();
  BOOST_TEST(message([&] { import_onnx(g, path); }).find("which takes 4398046511104 bytes, but has 0") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
