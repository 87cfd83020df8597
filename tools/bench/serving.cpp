// Latencies of served networks through the C header, on one thread.
//   bench_serving FOLDER [rounds]    writes the models to FOLDER, as NAME.oxb and NAME.onnx, and measures them
// Each call is timed by itself, all in rounds of 10,000 calls, whose medians and 99th percentiles are given: their own
// median over the rounds, and the best. Others on the machine lengthen the latter.
#include <fmt/format.h>
#include <oxbow/c_api.h>
#include <oxbow/onnx.h>
#include <oxbow/oxbow.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace {

using namespace oxbow;

struct Served {
  const char* name;
  std::vector<std::int64_t> widths;
};

const std::vector<Served> nets{{"small", {8, 32, 32, 1}}, {"mnist", {784, 256, 256, 10}}};

void write(const Served& net, const std::string& path) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), net.widths.front()});
  Value h = x;
  for (std::size_t i = 1; i < net.widths.size(); ++i)
    h = dense(h, net.widths[i], {.activation = i + 1 < net.widths.size() ? Activation(relu) : Activation()});
  const Value y = input(g, "y", f32, {any(4), net.widths.back()});
  Model model = compile(mean_squared_error(h, y), "sgd", {.predictions = h});
  model.export_model(path + ".oxb");
  export_onnx(path + ".onnx", {{"predictions", h}}, model.store());
}

void check(oxbow_status status) {
  if (status != OXBOW_OK) throw Error(oxbow_last_error());
}

double at(std::vector<double>& times, double share) {
  const auto place = times.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), place, times.end());
  return *place;
}

void measure(const Served& net, const std::string& path, std::int64_t batch, int rounds) {
  oxbow_model* model = nullptr;
  oxbow_session* session = nullptr;
  const oxbow_load_options one_thread{.threads = 1, .cached_shapes = 0, .reserved = {}};
  check(oxbow_load_model((path + ".oxb").c_str(), &one_thread, &model));
  check(oxbow_new_session(model, &session));
  const std::vector<float> x(static_cast<std::size_t>(batch * net.widths.front()), 0.5f);
  std::vector<double> times(10'000), medians, ratios;
  for (int round = -1; round < rounds; ++round) {
    for (double& time : times) {
      const auto start = std::chrono::steady_clock::now();
      oxbow_result y;
      check(oxbow_feed(session, 0, OXBOW_F32, x.data(), static_cast<std::int64_t>(x.size())));
      check(oxbow_run(session));
      check(oxbow_fetch(session, 0, &y));
      time = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
    }
    if (round < 0) continue;  // the first is to get warm
    medians.push_back(at(times, 0.5));
    ratios.push_back(at(times, 0.99) / medians.back());
  }
  fmt::print("{:8} batch {:3}  median {:8.3f} us  p99 / median {:.2f}, best round {:.2f}\n", net.name, batch,
             at(medians, 0.5), at(ratios, 0.5), at(ratios, 0));
  oxbow_free_session(session);
  oxbow_free_model(model);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) throw Error("usage: bench_serving FOLDER [rounds]");
  const std::string folder = argv[1];
  for (const Served& net : nets) {
    write(net, folder + "/" + net.name);
    for (const std::int64_t batch : {1, 16, 64})
      measure(net, folder + "/" + net.name, batch, argc > 2 ? std::atoi(argv[2]) : 21);
  }
} catch (const Error& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
