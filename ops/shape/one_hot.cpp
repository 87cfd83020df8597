#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/one_hot.h>
#include <oxbow/ops/shape/rearranged.h>

namespace oxbow::ops {

Type OneHot::infer(Types in) const {
  check_index_type(in[0], "labels");
  if (classes < 0)
    throw OpError("there cannot be " + std::to_string(classes) + " classes", "Give the number of classes");
  return {dtype, in[0].shape.inserted(in[0].shape.rank(), classes)};
}

Work OneHot::work(Types in) const { return moving(in[0].count() * classes * size_of(dtype)); }

void OneHot::run(const Run& r) const {
  const auto [begin, end] = r.share(r.in_type(0).count());
  const std::uint64_t one = dispatch(dtype, []<class T>(std::type_identity<T>) {
    return static_cast<std::uint64_t>(std::bit_cast<dtypes::Word<sizeof(T)>>(T(1)));
  });
  dispatch_width(dtype, [&]<class Word>(std::type_identity<Word>) {
    dispatch<IndexTypes>(r.in_type(0).dtype, [&]<class I>(std::type_identity<I>) {
      const I* labels = r.in<I>(0);
      auto* y = reinterpret_cast<Word*>(r.outputs[0].bytes);
      std::fill(y + begin * classes, y + end * classes, Word{0});  // the bits of 0 in every dtype
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t c = labels[i];
        if (c < 0 || c >= classes) out_of_range("label", c, r.in_type(0), i, classes);
        y[i * classes + c] = static_cast<Word>(one);
      }
    });
  });
}

std::vector<Sample> OneHot::samples() {
  const auto sample = [](Tensor labels, OneHot op) {
    return Sample{.what = to_string(labels.type()) + " to " + std::string(name(op.dtype)),
                  .op = op,
                  .inputs = {labels},
                  .reference = [op](const std::vector<Tensor>& in) {
                    const std::vector<Type> types{in[0].type()};
                    Tensor y(op.infer(types));
                    dispatch(op.dtype, [&]<class T>(std::type_identity<T>) {
                      for (std::int64_t i = 0; i < y.count(); ++i)
                        y.data<T>()[i] =
                            number(in[0], i / op.classes) == static_cast<double>(i % op.classes) ? T(1) : T(0);
                    });
                    return std::vector<Tensor>{y};
                  }};
  };
  return {
      sample(draw({4}, 0, 3, 1, i32), {.classes = 3}), sample(draw({2, 3}, 0, 5, 2, u8), {.classes = 5, .dtype = f64}),
      sample(Tensor::scalar<std::int64_t>(1), {.classes = 2, .dtype = i32}), sample(Tensor({i64, {0}}), {.classes = 3}),
      sample(draw({3}, 0, 2, 3, i64), {.classes = 2, .dtype = boolean})};
}

}  // namespace oxbow::ops

namespace oxbow {

Value one_hot(Value labels, std::int64_t classes, DType dtype, At at) {
  return apply(ops::OneHot{.classes = classes, .dtype = dtype}, {labels}, at);
}

}  // namespace oxbow
