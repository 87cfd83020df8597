#include <oxbow/ops/moving.h>
#include <oxbow/ops/one_hot.h>

namespace oxbow {

Type OneHot::infer(Types in) const {
  check_index_type(in[0], "labels");
  if (classes < 0)
    throw OpError("there cannot be " + std::to_string(classes) + " classes", "Give the number of classes");
  return {dtype, in[0].shape.inserted(in[0].shape.rank(), classes)};
}

Work OneHot::work(Types in) const { return moving(in[0].count() * classes * size_of(dtype)); }

void OneHot::run(const Run& r) const {
  const auto [begin, end] = r.share(r.in_type(0).count());
  dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    dispatch_index(r.in_type(0).dtype, [&]<class I>(std::type_identity<I>) {
      const I* labels = r.in<I>(0);
      T* y = r.out<T>();
      std::fill(y + begin * classes, y + end * classes, T(0));
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t c = labels[i];
        if (c < 0 || c >= classes) out_of_range("label", c, r.in_type(0), i, classes);
        y[i * classes + c] = T(1);
      }
    });
  });
}

Value one_hot(Value labels, std::int64_t classes, DType dtype, At at) {
  return apply(OneHot{.classes = classes, .dtype = dtype}, {labels}, at);
}

}  // namespace oxbow
