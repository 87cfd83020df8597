#include <oxbow/graph/sample.h>
#include <oxbow/graph/support/random.h>

#include <cmath>

namespace oxbow {

Tensor draw(const Shape& shape, double low, double high, std::uint64_t seed, DType dtype) {
  Tensor t({dtype, shape});
  dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    T* out = t.data<T>();
    for (std::int64_t i = 0; i < t.count(); ++i) {
      const double u = low + (high - low) * uniform01(random_block(seed, 0, 0, static_cast<std::uint64_t>(i))[0]);
      out[i] = is_float(dtype) ? static_cast<T>(u) : static_cast<T>(std::floor(u));
    }
  });
  return t;
}

}  // namespace oxbow
