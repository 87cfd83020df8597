#include "resnet50.h"

#include <oxbow/oxbow.h>

namespace oxbow::test {
namespace {

Value conv_norm(Value x, std::string name, std::int64_t filters, std::int64_t size, std::int64_t stride) {
  const Scope scope(x.graph(), name);
  return batch_norm(conv(x, filters, {.size = size, .stride = stride, .use_bias = false, .name = "conv"}),
                    {.name = "norm"});
}

// 1x1, 3x3, 1x1, beside a way past them.
Value bottleneck(Value x, std::string name, std::int64_t width, std::int64_t stride) {
  const Scope scope(x.graph(), name);
  Value h = relu(conv_norm(x, "reduce", width, 1, 1));
  h = relu(conv_norm(h, "middle", width, 3, stride));
  h = conv_norm(h, "expand", 4 * width, 1, 1);
  const Value past = h.shape() == x.shape() ? x : conv_norm(x, "shortcut", 4 * width, 1, stride);
  return relu(h + past);
}

}  // namespace

void resnet50(Graph& g) {
  const Value x = input(g, "x", f32, {any(8), 224, 224, 3}), label = input(g, "label", i64, {any(8)});
  Value h;
  {
    const Scope scope(g, "stem");
    h = max_pool(relu(conv_norm(x, "conv", 64, 7, 2)));
  }
  int stage = 1;
  for (const int blocks : {3, 4, 6, 3}) {
    const Scope scope(g, "stage" + std::to_string(stage));
    for (int b = 1; b <= blocks; ++b)
      h = bottleneck(h, "block" + std::to_string(b), 32 << stage, b == 1 && stage > 1 ? 2 : 1);
    ++stage;
  }
  const Scope scope(g, "head");
  const Value logits = dense(mean(h, {1, 2}), 1000);
  const Value loss = cross_entropy(logits, label).named("loss");
  g.add_output("loss", loss);
  g.add_output("logits", logits);
  for (const Value& update : optim::minimize(loss, "adam").updates) g.add_update(update);
}

}  // namespace oxbow::test
