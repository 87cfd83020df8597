// Ops for tests of plans and executors: plain loops over f32, of which some overwrite, alias, fail or wait.
#pragma once

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/random.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

namespace oxbow::test {

// `size` numbers, each from one number of every input: out[i] = 1/2 + sum_k in_k[i mod n_k] / (k + 2).
struct Mix {
  static constexpr OpInfo info{.name = "test_mix", .inputs = {"x"}, .variadic = true};
  std::int64_t size = 1, parts = 1;
  static constexpr auto attributes = std::tuple{Attribute{"size", &Mix::size}, Attribute{"parts", &Mix::parts}};
  bool operator==(const Mix&) const = default;
  Type infer(Types) const { return {f32, {size}}; }
  Work work(Types in) const {
    return {.parts = parts, .scratch = 256, .flops = 400.0 * static_cast<double>(size * std::ssize(in))};
  }
  void run(const Run& r) const {
    const auto [begin, end] = r.share(size);
    auto* sum = reinterpret_cast<float*>(r.scratch);
    for (std::int64_t i = begin; i < end; ++i) {
      *sum = 0.5f;
      for (std::size_t k = 0; k < r.inputs.size(); ++k) {
        const std::int64_t n = r.in_type(static_cast<int>(k)).count();
        if (n > 0) *sum += r.in<float>(static_cast<int>(k))[i % n] / static_cast<float>(k + 2);
      }
      r.out<float>()[i] = *sum;
    }
  }
};

// Two outputs, x - y / 3 and y + x / 5, either of which may take over either input.
struct Twist {
  static constexpr OpInfo info{.name = "test_twist", .inputs = {"x", "y"}};
  bool operator==(const Twist&) const = default;
  std::vector<Type> infer(Types in) const {
    if (in[0].shape != in[1].shape) throw OpError("x and y differ in shape", "Make them equal");
    return {in[0], in[0]};
  }
  Work work(Types in) const {
    return {.parts = 1 + in[0].count() / 8, .flops = 400.0 * static_cast<double>(in[0].count())};
  }
  std::vector<InputSet> overwrites(Types) const { return {{0, 1}, {0, 1}}; }
  void run(const Run& r) const {
    const auto [begin, end] = r.share(r.in_type(0).count());
    for (std::int64_t i = begin; i < end; ++i) {
      const float x = r.in<float>(0)[i], y = r.in<float>(1)[i];
      r.out<float>(0)[i] = x - y / 3;
      r.out<float>(1)[i] = y + x / 5;
    }
  }
};

// The numbers of x from `begin` on: x's own bytes.
struct Tail {
  static constexpr OpInfo info{.name = "test_tail", .inputs = {"x"}};
  std::int64_t begin = 0;
  static constexpr auto attributes = std::tuple{Attribute{"begin", &Tail::begin}};
  bool operator==(const Tail&) const = default;
  Type infer(Types in) const { return {f32, {in[0].count() - begin}}; }
  std::int64_t alias(Types) const { return begin * 4; }
  void run(const Run& r) const {
    for (std::int64_t i = 0; i < r.out_type().count(); ++i) r.out<float>()[i] = r.in<float>(0)[i + begin];
  }
};

// x itself, unless a number of it is negative.
struct Check {
  static constexpr OpInfo info{.name = "test_check", .inputs = {"x"}, .may_overwrite = {0}, .can_fail = true};
  bool operator==(const Check&) const = default;
  Type infer(Types in) const { return in[0]; }
  void run(const Run& r) const {
    for (std::int64_t i = 0; i < r.out_type().count(); ++i) {
      if (r.in<float>(0)[i] < 0)
        throw OpError("number " + std::to_string(i) + " is negative", "Feed numbers from 0 up");
      r.out<float>()[i] = r.in<float>(0)[i];
    }
  }
};

// Who has run parts of a `Meet`.
struct Meeting {
  std::atomic<int> arrived{0};
  std::mutex mutex;
  std::set<std::thread::id> threads;
};

// x once more; each of its parts waits until all of them have begun, or for five seconds.
struct Meet {
  static constexpr OpInfo info{.name = "test_meet", .inputs = {"x"}};
  Meeting* meeting = nullptr;
  std::int64_t parts = 1;
  bool operator==(const Meet&) const = default;
  Type infer(Types in) const { return in[0]; }
  Work work(Types) const { return {.parts = parts, .flops = 1e9}; }
  void run(const Run& r) const {
    {
      const std::lock_guard guard(meeting->mutex);
      meeting->threads.insert(std::this_thread::get_id());
    }
    ++meeting->arrived;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (meeting->arrived.load() < parts && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    const auto [begin, end] = r.share(r.out_type().count());
    for (std::int64_t i = begin; i < end; ++i) r.out<float>()[i] = r.in<float>(0)[i];
  }
};

// Random numbers that follow from a seed.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : seed_(seed) {}
  std::uint32_t below(std::size_t n) { return random_block(seed_, 0, 0, next_++)[0] % static_cast<std::uint32_t>(n); }

 private:
  std::uint64_t seed_, next_ = 0;
};

// A graph of about `size` such ops, with inputs "x0" (12 numbers), "x1" (40), variables "v0" to "v3" (40 numbers, each
// assigned) and with some values fetched.
struct RandomGraph {
  Graph g;
  std::vector<Value> fetches;
  RandomGraph(std::uint64_t seed, int size) {
    Draw draw(seed);
    std::vector<Value> values{input(g, "x0", f32, {12}), input(g, "x1", f32, {40})}, variables;
    for (int v = 0; v < 4; ++v) {
      variables.push_back(variable(g, "v" + std::to_string(v), {f32, {40}}, {.kind = "constant", .a = 0.25 * (v + 1)}));
      values.push_back(variables.back());
    }
    const auto pick = [&] {
      return values[draw.below(2) == 0 ? draw.below(values.size())
                                       : values.size() - 1 - draw.below(std::min<std::size_t>(6, values.size()))];
    };
    for (int i = 0; i < size; ++i) {
      const Value x = pick();
      switch (draw.below(8)) {
        case 0:
          values.push_back(
              apply(Tail{draw.below(static_cast<std::size_t>(x.shape().count()) + 1)}, {x}, At::current()));
          break;
        case 1:
          values.push_back(apply(Check{}, {x}, At::current()));
          break;
        case 2:
        case 3:
        case 4: {
          Value y = pick();
          for (int tries = 0; tries < 20 && (y.shape() != x.shape()); ++tries) y = pick();
          const Node n = g.append(Twist{}, {x, y.shape() == x.shape() ? y : x}, At::current());
          values.push_back(n.output(0));
          values.push_back(n.output(1));
          break;
        }
        default: {
          std::vector<Value> in(1 + draw.below(3));
          for (Value& v : in) v = pick();
          values.push_back(
              apply(Mix{draw.below(3) == 0 ? 40 : static_cast<std::int64_t>(draw.below(60)), 1 + draw.below(9)}, in,
                    At::current()));
        }
      }
    }
    for (const Value& v : variables) {
      Value to = pick();
      if (to.shape() != v.shape()) to = apply(Mix{40, 3}, {to, v}, At::current());
      fetches.push_back(assign(v, to));
    }
    for (int i = 0; i < 4; ++i) fetches.push_back(pick());
    fetches.push_back(values.back());
  }
};

}  // namespace oxbow::test
