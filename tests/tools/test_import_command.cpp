// oxbow import, and the commands that read ONNX files themselves.
#include <oxbow/onnx.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "support/program.h"

BOOST_AUTO_TEST_SUITE(test_import_command)

using namespace oxbow;
using namespace oxbow::test;

namespace {

std::string small_net(const TemporaryFolder& folder) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 4});
  const Value y = dense(dense(x, 8, {.activation = relu, .name = "body"}), 3, {.name = "head"});
  Store store(g);
  export_onnx(folder / "net.onnx", {{"scores", y}}, store);
  return folder / "net.onnx";
}

}  // namespace

BOOST_AUTO_TEST_CASE(it_says_what_a_file_holds) {
  const TemporaryFolder folder;
  const Finished said = oxbow_("import " + small_net(folder) + " --train 'head/*'");
  BOOST_TEST(said.code == 0, said.output);
  BOOST_TEST(has(said.output, "input   x  f32[any(2), 4]"), said.output);
  BOOST_TEST(has(said.output, "output  scores  f32[any(2), 3]"), said.output);
  BOOST_TEST(has(said.output, "67 parameters in 4 variables, 27 of them trained"), said.output);
  BOOST_TEST(has(said.output, "operators: 2 Gemm, 1 Relu"), said.output);
}

BOOST_AUTO_TEST_CASE(what_it_writes_runs_as_the_file_does) {
  const TemporaryFolder folder;
  const std::string net = small_net(folder);
  const auto result = [&](const std::string& arguments) {
    const Finished said = oxbow_("run " + arguments + " --random --inference");
    BOOST_TEST(said.code == 0, said.output);
    return said.output;
  };
  BOOST_TEST(oxbow_("import " + net + " --train 'head/*' --out " + (folder / "net")).code == 0);
  BOOST_TEST(result(net) == result((folder / "net") + " --parameters " + (folder / "net/parameters.safetensors")));
  BOOST_TEST(has(oxbow_("dump " + net).output, "%head/kernel = variable"));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_told) {
  const TemporaryFolder folder;
  const std::string net = small_net(folder);
  BOOST_TEST(
      has(oxbow_("import " + folder.write("no.onnx", "no model")).output, "no.onnx is not an ONNX model: at byte"));
  BOOST_TEST(has(oxbow_("import " + net + " --train 'haed/*'").output, "no parameter is called \"haed/*\""));
  BOOST_TEST(has(oxbow_("import " + net + " --size x").output, "--size takes NAME=NUMBER, not \"x\""));
  BOOST_TEST(has(oxbow_("run " + (folder / "none.onnx")).output, "none.onnx"));
}

BOOST_AUTO_TEST_SUITE_END()
