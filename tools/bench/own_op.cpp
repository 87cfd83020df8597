// An op from outside the tree against the built-in one that computes the same: the contract gives both the same speed.
//   bench_own_op
#include <fmt/format.h>
#include <oxbow/oxbow.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "own_tanh.h"

namespace {

using namespace oxbow;

constexpr int elements = 1 << 16, layers = 16, rounds = 41;

// 16 times x = tanh(1.01 x + 0.5), by one or the other.
struct Runner {
  explicit Runner(bool own) {
    Value x = input(graph, "x", f32, {elements});
    for (int i = 0; i < layers; ++i) {
      x = 1.01 * x + 0.5;
      x = own ? apply(tools::OwnTanh{}, {x}, Location{}) : tanh(x);
    }
    session = std::make_unique<Session>(compile({x}, {.pool = Pool(1)}), Store(graph));
    for (int i = 0; i < elements; ++i) data.push_back(static_cast<float>(i) / elements - 0.5f);
    session->feed<float>("x", data);
    session->run();
  }
  double microseconds() {
    const auto start = std::chrono::steady_clock::now();
    session->run();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  }
  Graph graph;
  std::vector<float> data;
  std::unique_ptr<Session> session;
};

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

}  // namespace

int main() {
  Runner built_in(false), own(true);
  std::vector<double> a, b;
  for (int i = 0; i < rounds; ++i) a.push_back(built_in.microseconds()), b.push_back(own.microseconds());
  const auto x = built_in.session->fetch<float>(0), y = own.session->fetch<float>(0);
  fmt::print("{} times x = tanh(1.01 x + 0.5) on {} floats, one thread, medians of {} runs in turn\n", layers, elements,
             rounds);
  fmt::print("built-in {:.1f} us, own {:.1f} us, own / built-in {:.2f}, bits {}\n", median(a), median(b),
             median(b) / median(a), std::memcmp(x.data(), y.data(), x.size_bytes()) == 0 ? "equal" : "DIFFERENT");
}
