// Every dtype through every cast and every op of the catalogue: each op refuses it when the graph is built, or computes
// right. Halves as values, as numbers in texts, in fused chains and in gradients.
// Labels: levels.
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/initial_value.h>
#include <oxbow/graph/text/number.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <numeric>

#include "samples/sample.h"
#include "support/interpreter.h"

BOOST_AUTO_TEST_SUITE(test_dtypes)

using namespace oxbow;
using namespace oxbow::internal;
using test::interpret;

namespace {

struct Case {
  std::string op;
  test::Sample sample;
};
std::ostream& operator<<(std::ostream& s, const Case& c) { return s << c.op << ", " << c.sample.what; }

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> found;
    for (const auto& [name, samples] : test::all_samples())
      for (const test::Sample& s : samples) found.push_back({name, s});
    return found;
  }();
  return all;
}

// A half's layout, read by the definition in IEEE 754.
struct Layout {
  int exponent_bits, mantissa_bits;
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  int infinity() const { return ((1 << exponent_bits) - 1) << mantissa_bits; }
  double value(int bits) const {
    const double sign = bits & 0x8000 ? -1 : 1;
    const int exponent = (bits & 0x7fff) >> mantissa_bits, mantissa = bits & ((1 << mantissa_bits) - 1);
    if ((bits & 0x7fff) > infinity()) return std::numeric_limits<double>::quiet_NaN();
    if ((bits & 0x7fff) == infinity()) return sign * std::numeric_limits<double>::infinity();
    if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias() - mantissa_bits);
    return sign * std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias() - mantissa_bits);
  }
  // The nearest value's bits, of two the even ones: by search, as if infinity were one more step.
  int nearest(long double x) const {
    const int sign = std::signbit(x) ? 0x8000 : 0;
    const long double size = std::fabs(x);
    const auto at = [&](int bits) {
      return bits < infinity() ? static_cast<long double>(value(bits))
                               : std::ldexp(1.0L, (1 << exponent_bits) - 1 - bias());
    };
    int low = 0, high = infinity();
    if (size >= at(high)) return sign | high;
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      (at(middle) <= size ? low : high) = middle;
    }
    const long double down = size - at(low), up = at(high) - size;
    return sign | (down < up || (down == up && low % 2 == 0) ? low : high);
  }
};

template <class T>
constexpr Layout layout_of = std::is_same_v<T, float16> ? Layout{5, 10} : Layout{8, 7};

template <class T>
Tensor every_value() {
  Tensor all({dtype_of<T>, {65536}});
  for (int bits = 0; bits < 65536; ++bits) all.data<T>()[bits] = T::from_bits(static_cast<std::uint16_t>(bits));
  return all;
}

// What a number is as a T, by the words of ops/pointwise/cast.h.
template <Element T>
bool is_cast(double x, T y) {
  if constexpr (std::is_same_v<T, bool>) {
    return y == (x != 0);
  } else if constexpr (std::is_integral_v<T>) {
    using Limits = std::numeric_limits<T>;
    if (std::isnan(x)) return y == 0;
    const long double cut = std::trunc(static_cast<long double>(x));
    return static_cast<long double>(y) ==
           std::clamp(cut, static_cast<long double>(Limits::min()), static_cast<long double>(Limits::max()));
  } else if (std::isnan(x)) {
    return y != y;
  } else if constexpr (is_narrow(dtype_of<T>)) {
    return y.bits() == layout_of<T>.nearest(x);
  } else {
    return static_cast<double>(y) == x && std::signbit(y) == std::signbit(x);
  }
}

double element(const Tensor& t, std::int64_t i) {
  return dispatch(t.dtype(), [&]<class T>(std::type_identity<T>) { return static_cast<double>(t.data<T>()[i]); });
}

// The same numbers, rounded; integers cut to what all of their dtypes have, and without a sign where there is none.
Tensor as(const Tensor& t, DType dtype) {
  Tensor out({dtype, t.shape()});
  dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < t.count(); ++i) {
      const bool whole = is_integer(dtype) || is_integer(t.dtype());
      const double from = element(t, i), x = !whole ? from : std::isfinite(from) ? std::fmod(from, 128) : 0;
      out.data<T>()[i] = static_cast<T>(std::is_unsigned_v<T> ? std::abs(x) : x);
    }
  });
  return out;
}

// Whether `got` is `want`, computed in double: within some roundings to `dtype` for floating point, and up to wrapping
// around for integers.
void check_near(const Tensor& got, const Tensor& want, DType dtype, const std::string& what) {
  BOOST_REQUIRE_MESSAGE(got.shape() == want.shape(), what << to_string(got.type()));
  double largest = 1, unit = 0;
  for (std::int64_t i = 0; i < want.count(); ++i)
    if (std::isfinite(element(want, i))) largest = std::max(largest, std::abs(element(want, i)));
  if (!is_float(dtype) && is_float(got.dtype())) unit = 1e-12;  // of what is computed beside numbers that are drawn
  if (is_float(dtype))
    unit = dispatch(
        dtype, []<class T>(std::type_identity<T>) { return static_cast<double>(std::numeric_limits<T>::epsilon()); });
  for (std::int64_t i = 0; i < got.count(); ++i) {
    const double x = element(got, i), y = element(want, i);
    bool same = x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= 4 * unit * largest;
    if (is_integer(got.dtype()) && !same)
      same = dispatch(got.dtype(), [&]<class T>(std::type_identity<T>) {
        return got.data<T>()[i] == static_cast<T>(static_cast<std::int64_t>(y));
      });
    BOOST_TEST(same, what << ": element " << i << " of " << to_string(got.type()) << " is " << x << ", not " << y);
  }
}

// The op on these inputs in a graph, or why it refuses them.
std::string refusal(const Op& op, const std::vector<Tensor>& inputs) {
  Graph g;
  std::vector<Value> values;
  for (const Tensor& t : inputs) values.push_back(constant(g, t));
  try {
    g.append(op, values, At::current());
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_table) {
  BOOST_TEST(dtype_names() == "f32, f64, f16, bf16, i8, i16, i32, i64, u8, u16, u32, u64 or bool");
  for (DType d : all_dtypes) {
    BOOST_TEST((parse_dtype(name(d)) == d));
    BOOST_TEST((dispatch(d, []<class T>(std::type_identity<T>) { return dtype_of<T>; }) == d));
    BOOST_TEST(size_of(d) == dispatch(d, []<class T>(std::type_identity<T>) -> std::int64_t { return sizeof(T); }));
    BOOST_TEST(size_of(d) ==
               dispatch_width(d, []<class W>(std::type_identity<W>) -> std::int64_t { return sizeof(W); }));
    BOOST_TEST(!is_narrow(compute_type(d)));
    BOOST_TEST(is_float(d) == is_float(compute_type(d)));
  }
  BOOST_CHECK_EXCEPTION(dispatch<dtypes::Floats>(i32, [](auto) {}), InternalError, [](const InternalError& e) {
    return std::string(e.what()).find("a kernel was called with i32") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(every_half_through_every_cast) {
  for (const Tensor& all : {every_value<float16>(), every_value<bfloat16>()})
    for (DType to : all_dtypes) {
      Graph g;
      const Value y = cast(constant(g, all), to);
      const Tensor got = interpret({y})[0];
      long wrong = 0;
      dispatch(all.dtype(), [&]<class From>(std::type_identity<From>) {
        dispatch(to, [&]<class To>(std::type_identity<To>) {
          if constexpr (is_narrow(dtype_of<From>) && is_float(dtype_of<From>))
            for (int bits = 0; bits < 65536; ++bits)
              wrong += !is_cast<To>(layout_of<From>.value(bits), got.data<To>()[bits]);
        });
      });
      BOOST_TEST(wrong == 0, name(all.dtype()) << " to " << name(to) << ": " << wrong << " are wrong");
      Store store;
      const Tensor compiled = compile({y}).run(store, {})[0];
      BOOST_TEST(same_bits(compiled, got), name(all.dtype()) << " to " << name(to));
    }
}

// Around every value and every tie between two of them, from f64, f32 and integers.
BOOST_AUTO_TEST_CASE(casts_to_halves_round_once_to_nearest_even) {
  const auto check = [](auto half, const Tensor& from) {
    using T = decltype(half);
    Graph g;
    const Tensor got = interpret({cast(constant(g, from), dtype_of<T>)})[0];
    long wrong = 0;
    dispatch(from.dtype(), [&]<class From>(std::type_identity<From>) {
      for (std::int64_t i = 0; i < from.count(); ++i)
        wrong += got.data<T>()[i].bits() != layout_of<T>.nearest(static_cast<long double>(from.data<From>()[i]));
    });
    BOOST_TEST(wrong == 0, to_string(from.type()) << " to " << name(dtype_of<T>) << ": " << wrong << " are wrong");
  };
  const auto from_floats = [&](auto half) {
    using T = decltype(half);
    std::vector<double> doubles{0.0, -0.0, 5e-324, -1e-300, 1e300, -1e300};
    for (int bits = 0; bits < layout_of<T>.infinity(); ++bits) {
      const double tie =
          (layout_of<T>.value(bits) + (bits + 1 < layout_of<T>.infinity() ? layout_of<T>.value(bits + 1)
                                                                          : std::ldexp(1.0, layout_of<T>.bias() + 1))) /
          2;
      for (double x : {tie, std::nextafter(tie, 0.0), std::nextafter(tie, 1e300)}) {
        doubles.push_back(x);
        doubles.push_back(-x);
      }
    }
    std::vector<float> floats(doubles.begin() + 6, doubles.end());
    std::erase_if(floats, [](float x) { return !std::isfinite(x); });
    check(half, Tensor::of<double>({std::ssize(doubles)}, doubles));
    check(half, Tensor::of<float>({std::ssize(floats)}, floats));
  };
  const auto from_integers = [&](auto half) {
    std::vector<std::int64_t> signed_ones;
    std::vector<std::uint64_t> unsigned_ones;
    for (int k = 8; k < 63; ++k)
      for (int part = 0; part < 4; ++part)
        for (int off = -1; off <= 1; ++off) {
          const std::uint64_t n = (std::uint64_t{1} << k) + (part * (std::uint64_t{1} << k >> 8)) + std::uint64_t(off);
          unsigned_ones.push_back(2 * n + 1);
          signed_ones.push_back(static_cast<std::int64_t>(n));
          signed_ones.push_back(-static_cast<std::int64_t>(n));
        }
    check(half, Tensor::of<std::int64_t>({std::ssize(signed_ones)}, signed_ones));
    check(half, Tensor::of<std::uint64_t>({std::ssize(unsigned_ones)}, unsigned_ones));
    std::vector<std::int16_t> small(65536);
    std::iota(small.begin(), small.end(), std::int16_t{-32768});
    check(half, Tensor::of<std::int16_t>({65536}, small));
  };
  from_floats(float16());
  from_floats(bfloat16());
  from_integers(float16());
  from_integers(bfloat16());
}

BOOST_AUTO_TEST_CASE(integers_are_exact_where_they_fit_and_wrap_around_or_saturate) {
  const auto check = [](const Tensor& x, auto... wanted) {
    using T = std::common_type_t<decltype(wanted)...>;
    Graph g;
    const Tensor got = interpret({cast(constant(g, x), dtype_of<T>)})[0];
    BOOST_TEST(got.span<T>() == (std::vector<T>{wanted...}), boost::test_tools::per_element());
  };
  const auto big = Tensor::of<std::uint64_t>({3}, {~std::uint64_t{0}, std::uint64_t{1} << 63, 9007199254740993});
  const auto wide = Tensor::of<double>({5}, {-1.5, 300.9, 1e30, -1e30, std::nan("")});
  check(big, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(), std::int64_t{9007199254740993});
  check(big, ~std::uint32_t{0}, std::uint32_t{0}, std::uint32_t{1});
  check(big, 0x1p64, 0x1p63, 9007199254740992.0);
  check(wide, std::int64_t{-1}, std::int64_t{300}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min(), std::int64_t{0});
  check(wide, std::uint64_t{0}, std::uint64_t{300}, ~std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{0});
  check(wide, std::uint8_t{0}, std::uint8_t{255}, std::uint8_t{255}, std::uint8_t{0}, std::uint8_t{0});
  check(wide, std::int8_t{-1}, std::int8_t{127}, std::int8_t{127}, std::int8_t{-128}, std::int8_t{0});
  check(Tensor::of<std::int32_t>({3}, {-1, 256, 65537}), std::uint16_t{65535}, std::uint16_t{256}, std::uint16_t{1});
}

// Where an op has floating-point inputs they take each dtype in turn, and integers the others.
BOOST_DATA_TEST_CASE(each_op_computes_every_dtype_or_refuses_it, boost::unit_test::data::make(cases())) {
  const auto& [op_name, s] = sample;
  const bool floats = std::any_of(s.inputs.begin(), s.inputs.end(), [](const Tensor& t) { return t.dtype() == f64; });
  for (DType d : all_dtypes) {
    std::vector<Tensor> inputs, doubles;
    for (const Tensor& t : s.inputs) {
      const bool changes = floats ? t.dtype() == f64 : is_integer(t.dtype());
      inputs.push_back(changes ? as(t, d) : t);
      doubles.push_back(changes ? as(inputs.back(), t.dtype()) : t);
    }
    const std::string why = refusal(s.op, inputs);
    if (!why.empty()) {
      BOOST_TEST(why.find(name(d)) != std::string::npos, why);
      BOOST_TEST(std::count(why.begin(), why.end(), '\n') >= 2, why);  // the inputs, the line and a remedy
      continue;
    }
    if (!floats && d == boolean) continue;  // what it takes of numbers is another question
    const bool kind = floats ? is_float(d) : d == s.inputs[0].dtype();
    if (!s.alike_in_all_dtypes && !kind) continue;
    std::vector<Tensor> got, want;
    try {
      want = s.reference(doubles);
      got = interpret(s.op, inputs);
    } catch (const Error& e) {
      BOOST_TEST(is_integer(d), e.what());  // an index or a number that was cut
      continue;
    }
    // Where an op's output has a size that inputs say, numbers that were cut may say another one.
    const bool cut =
        (is_integer(d) || !floats) && !std::equal(doubles.begin(), doubles.end(), s.inputs.begin(),
                                                  [](const Tensor& a, const Tensor& b) { return same_bits(a, b); });
    for (std::size_t i = 0; i < got.size(); ++i)
      if (!cut || got[i].shape() == want[i].shape())
        check_near(got[i], want[i], d, op_name + " of " + std::string(name(d)));
  }
}

BOOST_AUTO_TEST_CASE(halves_and_small_integers_in_programs) {
  for (DType d : all_dtypes) {
    if (d == boolean) continue;
    Graph g;
    const Value x = input(g, "x", d, {2, 3});
    const Value w = variable(g, "w", {d, {3}}, {.kind = Init::Kind::constant, .a = 3});
    const Value y = 2 * x + w - constant(g, 1, d);
    g.add_output("y", y);
    const auto program = compile({y});
    Store store;
    store.add(g);
    const Tensor fed = as(Tensor::of<double>({2, 3}, {0, 1, 2, 3, 4, 5}), d);
    const Tensor got = program.run(store, {{"x", fed}})[0];
    BOOST_TEST((got.dtype() == d));
    for (std::int64_t i = 0; i < 6; ++i) BOOST_TEST(element(got, i) == 2.0 * static_cast<double>(i) + 2, name(d));
  }
  BOOST_TEST(static_cast<float>(Tensor::scalar(bfloat16(0.1f)).item<bfloat16>()) == 0x1.9ap-4f);
  Graph g;
  BOOST_CHECK_EXCEPTION(constant(g, 300, u8), Error, [](const Error& e) {
    return std::string(e.what()).starts_with("constant: 300 does not fit in u8\n");
  });
}

// Each op of a chain rounds, fused or not.
BOOST_AUTO_TEST_CASE(a_fused_chain_of_halves_has_the_bits_of_its_ops) {
  for (DType d : {f16, bf16}) {
    Graph g;
    const Value x = input(g, "x", d, {50, 70}), row = input(g, "row", d, {70});
    const Value h = tanh(x * row + 0.3), y = exp(h) / (1 + square(x)) - h;
    const std::vector<Value> fetches{y, sum(y, {1}), mean(y), matmul(y, y, {.transpose_b = true})};
    const std::map<std::string, Tensor> feeds{{"x", draw({50, 70}, -3, 3, 1, d)}, {"row", draw({70}, -2, 2, 2, d)}};
    Store store;
    const auto fused = compile(fetches).run(store, feeds);
    const auto plain = compile(fetches, {.disable = {"fuse", "epilogue"}}).run(store, feeds);
    const auto slow = interpret(fetches, {feeds.begin(), feeds.end()});
    for (std::size_t i = 0; i < fetches.size(); ++i) {
      BOOST_TEST(same_bits(fused[i], plain[i]), name(d) << ", output " << i);
      if (i == 0) BOOST_TEST(same_bits(fused[i], slow[i]), name(d));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_mean_of_many_halves_is_not_limited_by_their_range) {
  Graph g;
  const Value x = broadcast_to(constant(g, 3, f16), {70000});
  BOOST_TEST(interpret({cast(mean(x), f64)})[0].item<double>() == 3.0);
  const Value b = broadcast_to(constant(g, 3, bf16), {70000});
  BOOST_TEST(interpret({cast(sum(b), f64)})[0].item<double>() == static_cast<double>(bfloat16(210000.0)));
}

BOOST_AUTO_TEST_CASE(gradients_flow_through_halves) {
  for (DType d : {f16, bf16}) {
    const auto slopes = [&](DType inner) {
      Graph g;
      const Value x = constant(g, as(draw({8, 5}, -1, 1, 1), f32)), w = constant(g, as(draw({5, 3}, -1, 1, 2), f32));
      const Value labels = constant(g, draw({8}, 0, 3, 3, i64));
      const Value logits = tanh(matmul(cast(x, inner), cast(w, inner)));
      const Value loss = cast(cross_entropy(logits, labels), f32) + cast(mean(square(logits)), f32);
      const std::vector<Value> dw = gradients(loss, {w});
      BOOST_TEST((dw[0].dtype() == f32));
      return interpret({dw[0]})[0];
    };
    check_near(slopes(d), slopes(f32), d, "gradient");
  }
}

BOOST_AUTO_TEST_CASE(halves_as_text_are_short_and_read_back) {
  const auto check = [](auto half) {
    using T = decltype(half);
    for (int bits = 0; bits < 65536; ++bits) {
      const T v = T::from_bits(static_cast<std::uint16_t>(bits));
      std::string text;
      text::append_number(text, v);
      const std::optional<T> back = text::read_number<T>(text);
      BOOST_REQUIRE_MESSAGE(back && back->bits() == bits, bits << " is " << text);
    }
  };
  check(float16());
  check(bfloat16());
  const auto text_of = [](auto v) {
    std::string text;
    text::append_number(text, v);
    return text;
  };
  BOOST_TEST(text_of(bfloat16(0.1)) == "0.1");
  BOOST_TEST(text_of(float16(1.0 / 3)) == "0.3333");
  BOOST_TEST(text_of(float16(65504.0)) == "65500.0");
  BOOST_TEST(text_of(-std::numeric_limits<float16>::infinity()) == "-inf");
  BOOST_TEST(!text::read_number<float16>("1e6"));
  BOOST_TEST(!text::read_number<float16>("1e-9"));
}

BOOST_AUTO_TEST_SUITE_END()
