// A model served from other languages: from C by any number of threads without an allocation, and the examples in C and
// in Python.
#include <arpa/inet.h>
#include <oxbow/oxbow.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

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

// A program that is stopped at the end of the block. `first_line` is what it prints when it is ready.
class Background {
 public:
  explicit Background(const std::string& line) : pipe_(::popen(("echo $$; exec " + line).c_str(), "r")) {
    process_ = std::stoi(this->line());
    first_line = this->line();
  }
  ~Background() {
    ::kill(process_, SIGTERM);
    ::pclose(pipe_);
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  std::string first_line;

 private:
  std::string line() {
    char text[256] = "";
    return std::fgets(text, sizeof text, pipe_) ? text : "";
  }
  FILE* pipe_;
  pid_t process_ = 0;
};

// What a server at this port of this machine answers to a POST of `body`, with its header; "" when there is none.
std::string posted(int port, const std::string& path, const std::string& body) {
  const int s = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(s, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
    const std::string request =
        "POST " + path +
        " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    if (::write(s, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
      char part[4096];
      for (ssize_t n; (n = ::read(s, part, sizeof part)) > 0;) answer.append(part, static_cast<std::size_t>(n));
    }
  }
  ::close(s);
  return answer;
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

BOOST_AUTO_TEST_CASE(the_example_over_http_answers_several_threads_at_once) {
  if (!std::filesystem::exists(program("http_server"))) {
    BOOST_TEST_MESSAGE("cpp-httplib was not there when the examples were built");
    return;
  }
  const TemporaryFolder folder;
  const Table table = parse_csv("size,made,kind\n1,here,a\n3,there,b\n5,here,b\n");
  const TableEncoder encode(table, {.inputs = {"size", "made"}, .target = "kind"});
  Graph g;
  const Value x = input(g, "x", f32, {any(4), encode.width()}), y = input(g, "y", i64, {any(4)}), h = dense(x, 2);
  compile(cross_entropy(h, y), "sgd", {.predictions = h}).export_model(folder / "net.oxb", encode);
  const SavedModel model = load_model(folder / "net.oxb");

  const Background server(program("http_server") + " " + (folder / "net.oxb") + " 0");
  int port = 0;
  BOOST_REQUIRE_MESSAGE(std::sscanf(server.first_line.c_str(), "listening at http://127.0.0.1:%d/predict", &port) == 1,
                        server.first_line);
  std::vector<int> wrong(4);  // answers, of each thread
  std::vector<std::thread> askers;
  for (std::size_t i = 0; i < wrong.size(); ++i)
    askers.emplace_back([&, i] {
      for (std::int64_t rows = 1; rows <= 3; ++rows)
        for (int again = 0; again < 10; ++again) {
          const Table asked = table.rows(0, rows);
          const std::string answer = posted(port, "/predict", to_csv(asked));
          const bool right = answer.starts_with("HTTP/1.1 200") &&
                             answer.ends_with("\r\n\r\n" + to_csv(model.table(model.predict(asked))));
          wrong[i] += right ? 0 : 1;
        }
    });
  for (std::thread& t : askers) t.join();
  for (const int n : wrong) BOOST_TEST(n == 0);
  const std::string bad = posted(port, "/predict", "size,makes\n1,here\n");
  BOOST_TEST(bad.starts_with("HTTP/1.1 400"), bad);
  BOOST_TEST(has(bad, "the request:1:1: there is no column \"made\""), bad);
  BOOST_TEST(posted(port, "/elsewhere", "").starts_with("HTTP/1.1 404"));
}

BOOST_AUTO_TEST_SUITE_END()
