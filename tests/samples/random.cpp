// Samples of random ops, word by word.
#include <oxbow/graph/support/random.h>
#include <oxbow/ops/random/dropout.h>

#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

std::vector<Tensor> plain_dropout(const ops::Dropout& op, const std::vector<Tensor>& in) {
  Tensor y(in[0].type());
  const auto* state = in[1].data<std::int64_t>();
  for (std::int64_t i = 0; i < y.count(); ++i) {
    const auto block = static_cast<std::uint64_t>(i / 256 * 64 + i % 64);
    const auto words =
        internal::random_block(static_cast<std::uint64_t>(state[0]), static_cast<std::uint32_t>(state[1]),
                               static_cast<std::uint32_t>(op.stream), block);
    const bool kept = words[static_cast<std::size_t>(i / 64 % 4)] >= static_cast<std::uint32_t>(op.rate * 0x1p32);
    y.data<double>()[i] = kept ? in[0].data<double>()[i] / (1 - op.rate) : 0;
  }
  return {y};
}

std::vector<Sample> dropout_samples() {
  std::vector<Sample> samples;
  const Tensor state = Tensor::of<std::int64_t>({2}, {12345678901234, 7});
  for (const Shape& shape : {Shape{}, Shape{3, 5}, Shape{257}, Shape{0, 3}, Shape{2, 300}})
    for (const ops::Dropout op : {ops::Dropout{.rate = 0.3, .stream = 5}, ops::Dropout{.rate = 0, .stream = 1}})
      samples.push_back({to_string(shape), op, {draw(shape, -1, 1, 51), state}, [op](const std::vector<Tensor>& in) {
                           return plain_dropout(op, in);
                         }});
  return samples;
}

}  // namespace

void add_random(Samples& s) { s.add<ops::Dropout>(dropout_samples()); }

}  // namespace oxbow::test
