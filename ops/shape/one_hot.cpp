#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/one_hot.h>

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

}  // namespace oxbow::ops

namespace oxbow {

Value one_hot(Value labels, std::int64_t classes, DType dtype, At at) {
  return apply(ops::OneHot{.classes = classes, .dtype = dtype}, {labels}, at);
}

}  // namespace oxbow
