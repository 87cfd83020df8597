#include "hostile_calls.h"

#include <oxbow/ops/control/cond.h>
#include <oxbow/ops/control/repeat.h>

#include <algorithm>
#include <limits>

namespace oxbow::test {
namespace {

constexpr int most_calls = 40, most_depth = 3;
// Loops in loops, and gradients of gradients of gradients, would be millions of nodes: what takes a graph beyond this
// many is the last call that is made.
constexpr std::int64_t most_nodes = 300;
constexpr std::int64_t most_steps = 12;  // of loops in loops, together
constexpr std::int64_t most_elements = 600, most_bytes = 1 << 15;

// The last bytes stand for layers, and those before for what indexes, which came later: so programs that were saved
// before make the same calls but for these.
Call chosen(int byte) {
  static const auto of = [](auto... add) {
    std::vector<Call> all;
    (add(all), ...);
    return all;
  };
  static const std::vector<Call> later = of(add_calls_of_layers, add_calls_of_indexing),
                                 others = of(add_calls_of_ops, add_calls_of_nets);
  const std::size_t from_end = static_cast<std::size_t>(255 - byte);
  return from_end < later.size() ? later[from_end] : others[static_cast<std::size_t>(byte) % others.size()];
}

}  // namespace

std::int64_t unrolled_size(const Graph& g) {
  constexpr std::int64_t many = 1'000'000;  // is as good as more
  std::int64_t all = 0;
  for (NodeId id = 0; id < g.size() && all < many; ++id) {
    const Op& op = g.node(id).op();
    std::int64_t nodes = 1;
    if (const auto* loop = op.as<ops::Repeat>()) nodes += loop->steps * unrolled_size(loop->body.graph());
    if (const auto* fork = op.as<ops::Cond>())
      nodes += unrolled_size(fork->then.graph()) + unrolled_size(fork->otherwise.graph());
    all += std::min(nodes, many);
  }
  return all;
}

void Calls::make_all() {
  while (at_ < bytes_.size() && calls_ < most_calls) make_one();
}

void Calls::make_one() {
  ++calls_;
  if (unrolled_size(*graph_) > most_nodes) return;
  try {
    chosen(byte())(*this);
  } catch (const Error&) {  // an answer
  }
}

std::int64_t Calls::steps() {
  const std::int64_t n = few();
  return n * times_ > most_steps ? 1 : n;
}

Value Calls::make_some() {
  if (depth_ == most_depth) return operand();
  ++depth_;
  for (int n = 1 + below(4); n > 0 && calls_ < most_calls; --n) make_one();
  --depth_;
  return flag() || values_.empty() ? operand() : values_.back();
}

std::int64_t Calls::number() {
  using Limits = std::numeric_limits<std::int64_t>;
  constexpr std::int64_t edges[] = {Limits::min(),
                                    Limits::max(),
                                    Limits::min() + 1,
                                    std::int64_t{1} << 62,
                                    std::int64_t{1} << 59,
                                    (std::int64_t{1} << 32) + 1,
                                    std::int64_t{1} << 31,
                                    -(std::int64_t{1} << 31) - 1,
                                    4097,
                                    127,
                                    64,
                                    31};
  const int b = byte();
  return b < 216 ? b % 18 - 5 : edges[static_cast<std::size_t>(b) % std::size(edges)];
}

double Calls::real() {
  using Limits = std::numeric_limits<double>;
  constexpr double some[] = {0,   -0.0,  1,    -1,    .5,    2,    3,   1e-5,  .1,
                             1e9, -1e30, 1e39, 1e-40, 1e300, -1.5, 255, 32768, 9.3e18};
  const int b = byte();
  if (b == 255) return Limits::quiet_NaN();
  if (b == 254) return Limits::infinity();
  if (b == 253) return -Limits::infinity();
  return some[static_cast<std::size_t>(b) % std::size(some)];
}

DType Calls::dtype() {
  const int b = byte();
  return b < 128 ? f32 : b < 170 ? f64 : all_dtypes[static_cast<std::size_t>(b) % all_dtypes.size()];
}

std::vector<std::int64_t> Calls::numbers() {
  std::vector<std::int64_t> all(static_cast<std::size_t>(below(6)));
  for (std::int64_t& n : all) n = number();
  return all;
}

Shape Calls::shape() {
  constexpr std::int64_t sizes[] = {1, 2, 3, 4, 5, 2, 3, 1, 7, 8, 17, 0};
  std::vector<std::int64_t> all(static_cast<std::size_t>(below(5)));
  std::int64_t elements = 1;
  for (std::int64_t& n : all) {
    n = sizes[static_cast<std::size_t>(byte()) % std::size(sizes)];
    if (elements * n > most_elements) n = 1;
    elements *= n;
  }
  return Shape(all);
}

std::vector<std::int64_t> Calls::axes() {
  std::vector<std::int64_t> all(static_cast<std::size_t>(below(4)));
  for (std::int64_t& a : all) a = below(9) - 4;
  return all;
}

std::string Calls::name() {
  constexpr std::string_view names[] = {"a", "b", "c", "d", "e", "a/b", "", "\n\x1b\"%", "\xff", "0"};
  const int b = byte();
  return b < 200 ? "n" + std::to_string(b) : std::string(names[static_cast<std::size_t>(b) % std::size(names)]);
}

Value Calls::operand() {
  const int b = byte();
  if (b == 255 || values_.empty()) return {};
  if (b == 254) return constant(*other_, 1, f32);
  return values_[values_.size() - 1 - static_cast<std::size_t>(b) % values_.size()];
}

std::vector<Value> Calls::operands() {
  std::vector<Value> all(static_cast<std::size_t>(below(5)));
  for (Value& v : all) v = operand();
  return all;
}

Tensor Calls::tensor(const Type& type) {
  Tensor t(type);
  const int first = byte(), step = byte();
  dispatch(type.dtype, [&]<class T>(std::type_identity<T>) {
    using Limits = std::numeric_limits<T>;
    int i = first;
    for (T& x : t.span<T>()) {
      i = (i + step) % 251;
      if constexpr (std::is_same_v<T, bool>) {
        x = i % 2 == 0;
      } else if constexpr (std::is_integral_v<T>) {
        x = i == 250 ? Limits::max() : i == 249 ? Limits::min() : static_cast<T>(i % 4);
      } else {
        const float awkward[] = {0.F,
                                 -0.F,
                                 std::numeric_limits<float>::infinity(),
                                 -std::numeric_limits<float>::infinity(),
                                 std::numeric_limits<float>::quiet_NaN(),
                                 3e38F,
                                 1e-38F};
        x = static_cast<T>(i > 240 ? awkward[i % 7] : static_cast<float>(i % 17 - 8) * .375F);
      }
    }
  });
  return t;
}

AttrValue Calls::bent(const AttrValue& a) {
  const auto bend = [&]<class T>(const T& v) -> AttrValue {
    if constexpr (std::is_same_v<T, bool>) {
      return flag();
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      return number();
    } else if constexpr (std::is_same_v<T, double>) {
      return real();
    } else if constexpr (std::is_same_v<T, DType>) {
      return dtype();
    } else if constexpr (std::is_same_v<T, Type>) {
      const DType d = dtype();
      return Type{d, shape()};
    } else if constexpr (std::is_same_v<T, Tensor>) {
      const DType d = dtype();
      const Shape s = shape();
      return tensor({d, s});
    } else if constexpr (std::is_same_v<T, AttrList>) {
      AttrList list = v;
      for (AttrValue& element : list)
        if (flag()) element = bent(element);
      const int change = below(4);
      if (change == 0 && !list.empty()) list.pop_back();
      if (change == 1) list.emplace_back(list.empty() ? AttrValue(number()) : bent(list.back()));
      return list;
    } else if constexpr (std::is_same_v<T, AttrRecord>) {
      AttrRecord record = v;
      for (auto& [key, value] : record)
        if (flag()) value = bent(value);
      return record;
    } else {
      return v;
    }
  };
  return std::visit(bend, static_cast<const AttrValue::variant&>(a));
}

void Calls::keep(Value v) {
  if (v && &v.graph() == graph_.get() && v.type().count() <= most_elements && v.type().bytes() <= most_bytes)
    values_.push_back(v);
}

}  // namespace oxbow::test
