// Which pixels are what: a small U-Net (Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597) finds squares and
// discs in noise. The images are made up. Draws some, with what is there and what it found below, into unet.png.
// Argument: the number of epochs.
#include <oxbow/oxbow.h>
#include <oxbow/tools/plot/image.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace oxbow;

// "x" [n, 32, 32, 1], "label" [n, 32, 32]: 0 where there is nothing, 1 in a square, 2 in a disc of the same grey.
static Dataset shapes(std::int64_t n) {
  const Tensor place = draw({n, 3}, 0, 1, 1, f32), noise = draw({n, 32, 32}, -0.4, 0.4, 2, f32);
  Tensor x({f32, {n, 32, 32, 1}}), label({i64, {n, 32, 32}});
  for (std::int64_t i = 0; i < n * 32 * 32; ++i) {
    const float *p = place.data<float>() + i / 1024 * 3, size = 5 + 5 * p[2];
    const float down = std::abs(static_cast<float>(i / 32 % 32) - 7 - 18 * p[0]);
    const float across = std::abs(static_cast<float>(i % 32) - 7 - 18 * p[1]);
    const bool disc = i / 1024 % 2 == 1, inside = (disc ? std::hypot(down, across) : std::max(down, across)) < size;
    label.data<std::int64_t>()[i] = inside ? 1 + disc : 0;
    x.data<float>()[i] = noise.data<float>()[i] + (inside ? 0.7f : 0.3f);
  }
  return {{"x", x}, {"label", label}};
}

static Sequential convs(std::int64_t filters) {
  return {Conv2D(filters), BatchNorm(), relu, Conv2D(filters), BatchNorm(), relu};
}

// What is seen at this size, beside what a U below sees at half of it.
static Layer u(std::int64_t filters, int depth) {
  const Sequential down = convs(filters), out = convs(filters);
  if (depth == 0) return down;
  const Sequential below{MaxPool2D(), u(2 * filters, depth - 1), Conv2DTranspose(filters, {.size = 2, .stride = 2})};
  return Lambda([=](Value x) {
    const Value here = down(x);
    return out(concat({here, below(here)}, -1));
  });
}

static Model build(Graph& g) {
  const Value x = input(g, "x", f32, {any(32), 32, 32, 1}), label = input(g, "label", i64, {any(32), 32, 32});
  const Value logits = Conv2D(3, {.size = 1})(u(8, 3)(x)), loss = cross_entropy(logits, label);
  const Value right = accuracy(logits, label), there = cast(label, f32) / 2.0, found = cast(argmax(logits), f32) / 2.0;
  return compile(loss, optim::Adam{.learning_rate = 3e-3},
                 {.metrics = {{"accuracy", right}}, .predictions = concat({squeeze(x, {-1}), there, found}, 1)});
}

int main(int argc, char** argv) try {
  const auto [train, test] = shapes(1500).split(0.2, {.shuffle = false});  // made up without order
  Graph g;
  Model model = build(g);
  model.fit(train, {.epochs = argc > 1 ? std::atoi(argv[1]) : 8, .validation = test, .callbacks = {print_epochs()}});
  tools::save_image("unet.png", model.predict(test.rows(0, 8)), {.scale = 2});
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
