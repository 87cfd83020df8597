// A model served from other languages: from C by any number of threads without an allocation, and the examples in C and
// in Python.
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>
#include <sstream>

#include "support/command.h"
#include "support/has.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_serving)

using namespace oxbow;
using namespace oxbow::test;

namespace {

Dataset rows(std::int64_t n) { return {{"x", draw({n, 8}, -1, 1, 7, f32)}}; }

// A small network of `classes` numbers a sample, not trained.
void write_model(const std::string& path, std::int64_t classes) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 8}), y = input(g, "y", f32, {any(4), classes});
  const Value h = dense(dense(dense(x, 32, {.activation = relu}), 32, {.activation = relu}), classes);
  compile(mean_squared_error(h, y), "sgd", {.predictions = h}).export_model(path);
}

// A line of numbers a sample, as they come in or are printed by %.9g.
std::string lines(const Tensor& t) {
  std::string text;
  const std::int64_t width = t.shape()[1];
  for (std::int64_t i = 0; i < t.count(); ++i) {
    char number[32];
    std::snprintf(number, sizeof number, "%.9g", t.data<float>()[i]);
    text += number + std::string((i + 1) % width == 0 ? "\n" : " ");
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(warm_calls_of_any_size_allocate_nothing) {
  const TemporaryFolder folder;
  write_model(folder / "net.oxb", 3);
  std::string bits;
  for (const int threads : {1, 2}) {
    const auto run =
        command(program("serving_allocations") + " " + (folder / "net.oxb") + " " + std::to_string(threads) + " 2>&1");
    BOOST_TEST(run.code == 0, run.output);
    BOOST_TEST(run.output.starts_with("8192 calls, 0 allocations, predictions "), run.output);
    if (!bits.empty()) BOOST_TEST(run.output == bits);
    bits = run.output;
  }
}

BOOST_AUTO_TEST_CASE(the_examples_in_c_and_in_python_serve_a_model) {
  const TemporaryFolder folder;
  const bool python = command("python3 --version 2>&1").code == 0;
  for (const std::int64_t classes : {1, 3}) {
    const std::string model = folder / "net.oxb";
    write_model(model, classes);
    const Tensor x = rows(5)["x"];
    const std::string expected = lines(load_model(model).predict(x));
    std::string several = lines(x), refused = "1 2 3\n" + lines(x);
    for (std::size_t at = 0; (at = several.find('\n', at)) + 1 < several.size();) several[at] = ' ';
    folder.write("rows", lines(x));
    folder.write("batch", several);
    folder.write("refused", refused);
    std::vector<std::string> servers{program("serve")};
    if (python) servers.push_back("python3 " + source("tools/examples/serve.py"));
    for (const std::string& server : servers) {
      const std::string library = server.starts_with("python3") ? " " + program("../lib/liboxbow_c.so.0") : "";
      for (const char* given : {"rows", "batch"}) {
        const auto run = command(server + " " + model + library + " < " + (folder / given) + " 2>&1");
        BOOST_TEST(run.code == 0);
        BOOST_TEST(run.output == expected);
      }
      const auto bad = command(server + " " + (folder / "nowhere") + library + " < /dev/null 2>&1");
      BOOST_TEST(bad.code == 1);
      BOOST_TEST(has(bad.output, "nowhere"), bad.output);
    }
    const auto on = command(program("serve") + " " + model + " < " + (folder / "refused") + " 2>/dev/null");
    BOOST_TEST(on.output == expected);
  }
}

BOOST_AUTO_TEST_SUITE_END()
