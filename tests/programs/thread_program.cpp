// Trains a small net and prints the bits of what came out; for tests of what only a process of its own can show:
//   thread_program train THREADS FAILURES   with the creation of the threads of these numbers failing, as "0,2", or "-"
//   thread_program exit THREADS             `exit` while other threads train
#include <dlfcn.h>
#include <oxbow/oxbow.h>
#include <pthread.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

namespace {

std::atomic<unsigned> failing{0};  // bit i: the i-th thread that is asked for is refused
std::atomic<int> asked{0};

}  // namespace

// In place of the library's: as if a limit on processes were reached.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* with) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  if (const int number = asked++; number < 32 && (failing.load() >> number & 1) != 0) return EAGAIN;
  return create(thread, attributes, start, with);
}

namespace {

using namespace oxbow;

// Products wide enough for several threads, forever or for some steps.
std::uint32_t train(const Pool& pool, int steps) {
  Graph g;
  const Value x = input(g, "x", f32, {256, 128}), y = input(g, "y", i64, {256});
  const Value h = dense(dense(x, 256, {.activation = relu}), 256, {.activation = relu});
  const auto step = optim::minimize(cross_entropy(dense(h, 10), y), optim::Adam{});
  Session session(compile(step.fetches(), {.pool = pool}), Store(g));
  std::vector<float> inputs(256 * 128);
  std::vector<std::int64_t> labels(256);
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = static_cast<float>(i % 97) / 97;
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i % 10);
  session.feed<float>("x", inputs);
  session.feed<std::int64_t>("y", labels);
  for (int i = 0; i != steps; ++i) session.run();
  return std::bit_cast<std::uint32_t>(session.fetch<float>(0)[0]);
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string_view what = argc > 2 ? argv[1] : "";
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  if (what == "exit") {
    const Pool pool(threads);
    for (int t = 0; t < 2; ++t) std::thread([=] { train(pool, -1); }).detach();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::exit(0);
  }
  if (what != "train" || argc != 4) return 2;
  for (const char c : std::string_view(argv[3]))
    if (c >= '0' && c <= '9') failing |= 1u << (c - '0');
  std::printf("%08x\n", train(Pool(threads), 20));
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
