#include <oxbow/ops/shape/scatter.h>
#include <oxbow/ops/shape/scattering.h>

namespace oxbow::ops {
namespace {

Type put_type(Types in, std::int64_t groups) {
  const Shape &x = in[0].shape, &indices = in[1].shape;
  if (in[1].dtype != i64 || x.rank() == 0)
    throw OpError("indices are " + to_string(in[1]) + " for x " + to_string(in[0]), "Give i64, and an x with rows");
  std::vector<std::int64_t> wanted = indices.vector();
  wanted.insert(wanted.end(), x.begin() + 1, x.end());
  if (in[2] != Type{in[0].dtype, Shape(wanted)})
    throw OpError("updates are " + to_string(in[2]) + " for x " + to_string(in[0]) + " and indices " + to_string(in[1]),
                  "Give one row of x's dtype for each index");
  if (groups < 1 || x[0] % groups != 0 || indices.count() % groups != 0)
    throw OpError(std::to_string(groups) + " groups of " + std::to_string(x[0]) + " rows and " +
                      std::to_string(indices.count()) + " indices are not of one size",
                  "Give a number that divides both, 1 say");
  return in[0];
}

// As much as it takes in place.
Work put_work(Types in, std::int64_t groups) {
  return scattering_work(AroundAxis(in[0].shape, 0), static_cast<double>(3 * in[2].bytes()), groups);
}

template <class T>
T product(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
  } else {
    return a * b;
  }
}

// A NaN stays; of equal ones it is the one that is there.
template <class T>
T larger(T a, T b) {
  return b > a || b != b ? b : a;
}
template <class T>
T smaller(T a, T b) {
  return b < a || b != b ? b : a;
}

}  // namespace

Type ScatterRows::infer(Types in) const { return put_type(in, groups); }

Work ScatterRows::work(Types in) const { return put_work(in, groups); }

void ScatterRows::run(const Run& r) const {
  dispatch_width(r.out_type().dtype, [&]<class Word>(std::type_identity<Word>) {
    scatter_rows<Word, std::int64_t>(
        r, AroundAxis(r.in_type(0).shape, 0), r.in<Word>(0), [](Word, Word update) { return update; }, groups);
  });
}

Type FoldRows::infer(Types in) const {
  check_dtype(dtypes::Numbers{}, in[0], "x");
  if (fold == ScatterReduction::none) throw OpError("nothing is folded", "Use scatter_rows");
  return put_type(in, groups);
}

Work FoldRows::work(Types in) const { return put_work(in, groups); }

void FoldRows::run(const Run& r) const {
  dispatch<dtypes::Numbers>(r.out_type().dtype, [&]<class T>(std::type_identity<T>) {
    const AroundAxis a(r.in_type(0).shape, 0);
    const auto by = [&](auto folded) { scatter_rows<T, std::int64_t>(r, a, r.in<T>(0), folded, groups); };
    switch (fold) {
      case ScatterReduction::add:
        return by([](T x, T update) { return wrapping_sum(x, update); });
      case ScatterReduction::mul:
        return by([](T x, T update) { return product(x, update); });
      case ScatterReduction::max:
        return by([](T x, T update) { return larger(x, update); });
      case ScatterReduction::min:
        return by([](T x, T update) { return smaller(x, update); });
      case ScatterReduction::none:
        break;  // `infer` refuses it
    }
  });
}

}  // namespace oxbow::ops
