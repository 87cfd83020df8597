// Ops for tests of plans and executors: plain loops over f32, of which some overwrite, alias, fail or wait.
#pragma once

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/random.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

namespace oxbow::test {

// `size` numbers, each from one number of every input: out[i] = 1/2 + sum_k in_k[i mod n_k] / (k + 2).
struct Mix {
  static constexpr OpInfo info{.name = "test_mix", .inputs = {"x..."}};
  std::int64_t size = 1, parts = 1;
  static void attributes(auto&& visit) {
    visit("size", &Mix::size);
    visit("parts", &Mix::parts);
  }
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
  static constexpr OpInfo info{.name = "test_twist", .inputs = {"x", "y"}, .outputs = {"a", "b"}};
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
  static void attributes(auto&& visit) { visit("begin", &Tail::begin); }
  bool operator==(const Tail&) const = default;
  Type infer(Types in) const { return {f32, {in[0].count() - begin}}; }
  Alias alias(Types) const { return {.input = 0, .offset = begin * 4}; }
  void run(const Run& r) const {
    for (std::int64_t i = 0; i < r.out_type().count(); ++i) r.out<float>()[i] = r.in<float>(0)[i + begin];
  }
};

// The first numbers of x: x's own bytes, where they begin.
struct Head {
  static constexpr OpInfo info{.name = "test_head", .inputs = {"x"}};
  std::int64_t size = 0;
  static void attributes(auto&& visit) { visit("size", &Head::size); }
  bool operator==(const Head&) const = default;
  Type infer(Types) const { return {f32, {size}}; }
  Alias alias(Types) const { return {.input = 0}; }
  void run(const Run& r) const { std::copy_n(r.in<float>(0), size, r.out<float>()); }
};

// x / 2 + y / 3, y from its end to its begin: of y, a number is read after another one was written.
struct Turn {
  static constexpr OpInfo info{.name = "test_turn", .inputs = {"x", "y"}, .may_overwrite = {0}};
  bool operator==(const Turn&) const = default;
  Type infer(Types in) const { return in[0]; }
  Work work(Types in) const { return {.parts = 1 + in[0].count() / 16, .flops = 4000}; }
  void run(const Run& r) const {
    const auto [begin, end] = r.share(r.out_type().count());
    const std::int64_t n = r.in_type(1).count();
    for (std::int64_t i = begin; i < end; ++i)
      r.out<float>()[i] = r.in<float>(0)[i] / 2 + (n > 0 ? r.in<float>(1)[n - 1 - i % n] / 3 : 1);
  }
};

// `size` numbers: x's over and over, less a third of y's. It may take over bytes of either, which it is to be given
// only where those are as many as its own.
struct Repeat {
  static constexpr OpInfo info{.name = "test_repeat", .inputs = {"x", "y"}, .may_overwrite = {0, 1}};
  std::int64_t size = 1;
  static void attributes(auto&& visit) { visit("size", &Repeat::size); }
  bool operator==(const Repeat&) const = default;
  Type infer(Types) const { return {f32, {size}}; }
  void run(const Run& r) const {
    const auto number = [&](int k, std::int64_t i) {
      const std::int64_t n = r.in_type(k).count();
      return n > 0 ? r.in<float>(k)[i % n] : 1;
    };
    for (std::int64_t i = 0; i < size; ++i) r.out<float>()[i] = number(0, i) / 2 + number(1, i) / 3;
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

// Where the parts of a node wait for one another.
struct Meeting {
  std::atomic<std::int64_t> arrived{0};
  std::mutex mutex;
  std::set<std::thread::id> threads;

  // Until so many have come, or for five seconds.
  void wait(std::int64_t parts) {
    {
      const std::lock_guard guard(mutex);
      threads.insert(std::this_thread::get_id());
    }
    ++arrived;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (arrived.load() < parts && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  }
};

// x once more; its parts meet.
struct Meet {
  static constexpr OpInfo info{.name = "test_meet", .inputs = {"x"}};
  Meeting* meeting = nullptr;
  std::int64_t parts = 1;
  bool operator==(const Meet&) const = default;
  Type infer(Types in) const { return in[0]; }
  Work work(Types) const { return {.parts = parts, .flops = 1e9}; }
  void run(const Run& r) const {
    meeting->wait(parts);
    const auto [begin, end] = r.share(r.out_type().count());
    for (std::int64_t i = begin; i < end; ++i) r.out<float>()[i] = r.in<float>(0)[i];
  }
};

// Random numbers that follow from a seed.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : seed_(seed) {}
  std::uint32_t below(std::size_t n) {
    return internal::random_block(seed_, 0, 0, next_++)[0] % static_cast<std::uint32_t>(n);
  }

 private:
  std::uint64_t seed_, next_ = 0;
};

// A graph of about `size` such ops, with inputs "x0" (12 numbers), "x1" (40), variables "v0" to "v3" (40 numbers, each
// assigned) and with some values fetched.
struct MixedGraph {
  Graph g;
  std::vector<Value> fetches;
  MixedGraph(std::uint64_t seed, int size) {
    Draw draw(seed);
    std::vector<Value> values{input(g, "x0", f32, {12}), input(g, "x1", f32, {40})}, variables;
    for (int v = 0; v < 4; ++v) {
      const double from = 0.25 * (v + 1);  // each number another one, so that none can stand in for its neighbour
      variables.push_back(variable(g, "v" + std::to_string(v), {f32, {40}},
                                   {.kind = Init::Kind::uniform, .a = from, .b = from + 0.25, .seed = seed}));
      values.push_back(variables.back());
    }
    const auto pick = [&] {
      return values[draw.below(2) == 0 ? draw.below(values.size())
                                       : values.size() - 1 - draw.below(std::min<std::size_t>(6, values.size()))];
    };
    for (int i = 0; i < size; ++i) {
      const Value x = pick();
      switch (draw.below(11)) {
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
        case 5:
          values.push_back(head(draw, x));
          break;
        case 6:
          values.push_back(apply(Turn{}, {x, draw.below(2) == 0 ? x : pick()}, At::current()));
          break;
        case 7:
          values.push_back(apply(Repeat{draw.below(2) == 0 ? x.shape().count() : std::int64_t{40}},
                                 {x, draw.below(2) == 0 ? head(draw, x) : pick()}, At::current()));
          break;
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
      if (to.shape() != v.shape()) to = next_value(draw, v, to);
      fetches.push_back(assign(v, to));
    }
    for (int i = 0; i < 4; ++i) fetches.push_back(pick());
    fetches.push_back(values.back());
  }

 private:
  static Value head(Draw& draw, Value x) {
    return apply(Head{draw.below(static_cast<std::size_t>(x.shape().count()) + 1)}, {x}, At::current());
  }
  // What can be written over the variable, what cannot, and what is not all of its bytes.
  static Value next_value(Draw& draw, Value variable, Value x) {
    const auto add = [](auto op, std::initializer_list<Value> in) { return apply(std::move(op), in, At::current()); };
    switch (draw.below(4)) {
      case 0:
        return add(Turn{}, {variable, draw.below(2) == 0 ? variable : x});
      case 1:
        return add(Repeat{40}, {head(draw, variable), x});
      case 2:
        return add(Head{40}, {add(Mix{50, 3}, {x})});
      default:
        return add(Mix{40, 3}, {x, variable});
    }
  }
};

}  // namespace oxbow::test
