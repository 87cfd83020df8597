// ONNX files that were cut or damaged: an error, or a model. Labels: memory.
#include <oxbow/onnx.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "hostile_model.h"
#include "make_model.h"
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

}  // namespace

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
