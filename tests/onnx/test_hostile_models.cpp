// ONNX files that were cut or damaged: an error, or a model. Labels: memory.
#include <oxbow/onnx.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

#include "make_model.h"
#include "support/message.h"
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

// Reads it; whatever is thrown but `Error` fails the test.
void read(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  Graph g;
  try {
    import_onnx(g, path);
  } catch (const Error&) {
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_truncation_is_refused_or_read) {
  const TemporaryFolder folder;
  const std::string whole = small_model(), path = folder / "net.onnx";
  for (std::size_t size = 0; size < whole.size(); ++size) BOOST_CHECK_NO_THROW(read(path, whole.substr(0, size)));
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_is_refused_or_read) {
  const TemporaryFolder folder;
  const std::string path = folder / "net.onnx";
  std::string bytes = small_model();
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
      BOOST_CHECK_NO_THROW(read(path, bytes));
      bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
    }
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
