// Convolutions of few channels in single precision, whose rows are summed in blocks of registers: of any width, so that
// rows end within a block, at its end and behind it, against the same in double.
// Labels: memory, levels.
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

BOOST_AUTO_TEST_SUITE(test_conv_narrow)

using namespace oxbow;

namespace {

struct Case {
  std::int64_t width, channels, kernels, stride;
  Shape x() const { return {2, 4, width, channels}; }
  Shape w() const { return {3, 3, channels, kernels}; }
  Shape y() const { return {2, (4 + stride - 1) / stride, (width + stride - 1) / stride, kernels}; }
};

// y, dx and dw.
std::vector<Tensor> computed(const Case& c, DType dtype) {
  Graph g;
  const Value x = input(g, "x", dtype, c.x()), w = input(g, "w", dtype, c.w()), dy = input(g, "dy", dtype, c.y());
  const Value y = conv2d(x, w, {.stride = c.stride});
  std::vector<Value> fetches = gradients(y, dy, {x, w});
  fetches.insert(fetches.begin(), y);
  Store store(g);
  const auto given = [&](const Shape& shape, std::uint64_t seed) {  // the same numbers in either dtype
    const Tensor t = draw(shape, -1, 1, seed, f32);
    if (dtype == f32) return t;
    Tensor wide({f64, shape});
    std::copy(t.span<float>().begin(), t.span<float>().end(), wide.span<double>().begin());
    return wide;
  };
  return compile(fetches).run(store, {{"x", given(c.x(), 1)}, {"w", given(c.w(), 2)}, {"dy", given(c.y(), 3)}});
}

}  // namespace

BOOST_AUTO_TEST_CASE(rows_of_any_width) {
  for (const std::int64_t width : {1, 2, 12, 15, 16, 17, 33, 50})
    for (const std::int64_t channels : {4, 16, 32})
      for (const std::int64_t kernels : {5, 8, 16})
        for (const std::int64_t stride : {1, 2}) {
          const Case c{width, channels, kernels, stride};
          const auto is = computed(c, f32), exact = computed(c, f64);
          for (std::size_t i = 0; i < is.size(); ++i) {
            double furthest = 0;
            for (std::size_t e = 0; e < is[i].span<float>().size(); ++e)
              furthest = std::max(furthest,
                                  std::abs(static_cast<double>(is[i].span<float>()[e]) - exact[i].span<double>()[e]));
            BOOST_TEST(furthest < 1e-4, "output " << i << ": off by " << furthest << ", " << width << " wide, "
                                                  << channels << " to " << kernels << " channels, stride " << stride);
          }
        }
}

BOOST_AUTO_TEST_SUITE_END()
