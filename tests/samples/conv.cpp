// Samples of convolutions: the definitions, element by element.
#include <oxbow/ops/conv/conv.h>
#include <oxbow/ops/conv/geometry.h>
#include <oxbow/ops/conv/transpose.h>

#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

// Calls f(element of x, of the weights, of y) for each product that a convolution sums.
template <class F>
void each_product(const ConvShape& s, F&& f) {
  for (std::int64_t n = 0; n < s.images; ++n)
    for (std::int64_t i = 0; i < s.rows; ++i)
      for (std::int64_t j = 0; j < s.columns; ++j)
        for (std::int64_t a = 0; a < s.kh; ++a)
          for (std::int64_t b = 0; b < s.kw; ++b) {
            const std::int64_t row = i * s.stride.down + a * s.dilation.down - s.top;
            const std::int64_t column = j * s.stride.across + b * s.dilation.across - s.left;
            if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
            const std::int64_t each = s.channels / s.groups;
            for (std::int64_t c = 0; c < each; ++c)
              for (std::int64_t k = 0; k < s.kernels; ++k)
                f(((n * s.height + row) * s.width + column) * s.channels + k / (s.kernels / s.groups) * each + c,
                  ((a * s.kw + b) * each + c) * s.kernels + k, ((n * s.rows + i) * s.columns + j) * s.kernels + k);
          }
}

struct Case {
  const char* what;
  Shape x, weights;
  ConvAttributes options;
  ConvShape shape() const { return conv_shape(x, weights, options); }
};

std::vector<Case> cases() {
  return {
      {"same", {2, 4, 5, 3}, {3, 3, 3, 2}, {}},
      {"valid", {1, 5, 4, 2}, {3, 2, 2, 3}, {.padding = Padding::valid}},
      {"stride 2", {2, 5, 6, 2}, {3, 3, 2, 2}, {.stride = 2}},
      {"stride 2, even kernels", {1, 6, 5, 4}, {2, 2, 4, 1}, {.stride = 2, .padding = Padding::valid}},
      {"stride beyond the kernel", {1, 7, 7, 1}, {1, 2, 1, 2}, {.stride = 3, .padding = Padding::valid}},
      {"padded by 2", {1, 3, 3, 1}, {5, 5, 1, 2}, {.padding = 2}},
      {"padded on one side", {1, 3, 4, 5}, {2, 3, 5, 2}, {.padding = Padding(1, 0, 0, 2)}},
      {"one element", {1, 1, 1, 1}, {1, 1, 1, 1}, {}},
      {"kernels wider than the image", {1, 2, 2, 2}, {5, 5, 2, 1}, {}},
      {"no images", {0, 3, 3, 2}, {3, 3, 2, 2}, {}},
      {"no channels", {1, 3, 3, 0}, {3, 3, 0, 2}, {}},
      {"no kernels", {1, 3, 3, 2}, {3, 3, 2, 0}, {}},
      {"dilated", {1, 6, 5, 2}, {3, 2, 2, 3}, {.dilation = 2}},
      {"dilated, stride 2", {1, 7, 8, 4}, {2, 3, 4, 2}, {.stride = 2, .padding = 1, .dilation = 3}},
      {"two groups", {1, 4, 3, 4}, {3, 3, 2, 6}, {.groups = 2}},
      {"a kernel a channel", {2, 4, 5, 5}, {3, 3, 1, 5}, {.groups = 5}},
      {"a kernel a channel, stride 2",
       {1, 5, 4, 3},
       {3, 2, 1, 3},
       {.stride = 2, .padding = Padding::valid, .groups = 3}},
      {"two kernels a channel, dilated", {1, 5, 6, 2}, {2, 3, 1, 4}, {.padding = 1, .dilation = 2, .groups = 2}},
      {"other strides down than across", {1, 7, 6, 2}, {3, 2, 2, 3}, {.stride = {3, 1}}},
      {"other dilations down than across", {1, 7, 8, 4}, {2, 3, 4, 2}, {.padding = 1, .dilation = {2, 3}}},
      {"the odd row above", {1, 6, 5, 2}, {2, 4, 2, 2}, {.stride = {1, 2}, .padding = Padding::same_lower}},
      {"a kernel a channel, all apart",
       {2, 8, 7, 3},
       {3, 2, 1, 3},
       {.stride = {2, 1}, .padding = Padding::same_lower, .dilation = {1, 2}, .groups = 3}},
      {"a row of few channels", {2, 1, 9, 3}, {1, 4, 3, 5}, {.stride = {1, 3}, .padding = Padding(0, 0, 2, 1)}},
      {"a kernel a channel, no images", {0, 3, 3, 2}, {3, 3, 1, 2}, {.groups = 2}},
  };
}

std::vector<Sample> conv2d_samples() {
  std::vector<Sample> all;
  for (const Case& c : cases())
    all.push_back({c.what,
                   Conv2d{c.options},
                   {draw(c.x, -1, 1, 1), draw(c.weights, -1, 1, 2)},
                   [c](const std::vector<Tensor>& in) {
                     Tensor y({f64, c.shape().y()});
                     each_product(c.shape(), [&](auto x, auto w, auto at) {
                       y.data<double>()[at] += in[0].data<double>()[x] * in[1].data<double>()[w];
                     });
                     return std::vector{y};
                   }});
  return all;
}

std::vector<Sample> conv2d_gradient_of_x_samples() {
  std::vector<Sample> all;
  for (const Case& c : cases())
    all.push_back({c.what,
                   Conv2dGradientOfX{c.options},
                   {draw(c.shape().y(), -1, 1, 1), draw(c.weights, -1, 1, 2), draw(c.x, -1, 1, 3)},
                   [c](const std::vector<Tensor>& in) {
                     Tensor dx({f64, c.x});
                     each_product(c.shape(), [&](auto x, auto w, auto at) {
                       dx.data<double>()[x] += in[0].data<double>()[at] * in[1].data<double>()[w];
                     });
                     return std::vector{dx};
                   }});
  return all;
}

std::vector<Sample> conv2d_transpose_samples() {
  struct Enlarged {
    const char* what;
    Shape x, weights, y;
    Conv2dTranspose op;
  };
  const Enlarged all_of[] = {
      {"same", {2, 3, 2, 4}, {3, 3, 2, 4}, {2, 3, 2, 2}, {}},
      {"same, stride 2", {1, 3, 2, 2}, {3, 3, 3, 2}, {1, 6, 4, 3}, {{.stride = 2}}},
      {"same, stride 2, output padding 0", {1, 3, 2, 2}, {3, 3, 3, 2}, {1, 5, 3, 3}, {{.stride = 2}, 0}},
      {"valid, stride 3", {1, 2, 3, 1}, {2, 2, 2, 1}, {1, 6, 9, 2}, {{.stride = 3, .padding = Padding::valid}}},
      {"valid, output padding 1",
       {1, 2, 3, 2},
       {3, 3, 1, 2},
       {1, 6, 8, 1},
       {{.stride = 2, .padding = Padding::valid}, 1}},
      {"padded by 1, as PyTorch's", {1, 3, 3, 2}, {4, 4, 1, 2}, {1, 6, 6, 1}, {{.stride = 2, .padding = 1}}},
      {"dilated", {1, 2, 3, 2}, {2, 3, 1, 2}, {1, 4, 7, 1}, {{.padding = Padding::valid, .dilation = 2}}},
      {"a kernel a channel", {1, 2, 2, 3}, {3, 3, 1, 3}, {1, 4, 4, 3}, {{.stride = 2, .groups = 3}}},
      {"two groups", {1, 2, 2, 4}, {2, 2, 3, 4}, {1, 2, 2, 6}, {{.groups = 2}}},
      {"other steps down than across",
       {1, 3, 2, 2},
       {2, 3, 1, 2},
       {1, 5, 7, 1},
       {{.stride = {2, 3}, .padding = Padding(1, 0, 0, 1), .dilation = {1, 2}}, {0, 0}}},
      {"more rows than columns added",
       {1, 2, 2, 1},
       {2, 2, 2, 1},
       {1, 5, 4, 2},
       {{.stride = {2, 2}, .padding = Padding(0, 0, 0, 0)}, {1, 0}}},
      {"no images", {0, 2, 2, 2}, {3, 3, 2, 2}, {0, 2, 2, 2}, {}},
  };
  std::vector<Sample> all;
  for (const Enlarged& c : all_of)
    all.push_back({c.what, c.op, {draw(c.x, -1, 1, 1), draw(c.weights, -1, 1, 2)}, [c](const std::vector<Tensor>& in) {
                     Tensor y({f64, c.y});
                     each_product(conv_shape(c.y, c.weights, c.op), [&](auto to, auto w, auto from) {
                       y.data<double>()[to] += in[0].data<double>()[from] * in[1].data<double>()[w];
                     });
                     return std::vector{y};
                   }});
  return all;
}

std::vector<Sample> conv2d_gradient_of_weights_samples() {
  std::vector<Sample> all;
  for (const Case& c : cases())
    all.push_back({c.what,
                   Conv2dGradientOfWeights{c.options},
                   {draw(c.x, -1, 1, 1), draw(c.shape().y(), -1, 1, 2), draw(c.weights, -1, 1, 3)},
                   [c](const std::vector<Tensor>& in) {
                     Tensor dw({f64, c.weights});
                     each_product(c.shape(), [&](auto x, auto w, auto at) {
                       dw.data<double>()[w] += in[0].data<double>()[x] * in[1].data<double>()[at];
                     });
                     return std::vector{dw};
                   }});
  return all;
}

}  // namespace

void add_conv(Samples& s) {
  s.add<Conv2d>(conv2d_samples());
  s.add<Conv2dGradientOfX>(conv2d_gradient_of_x_samples());
  s.add<Conv2dGradientOfWeights>(conv2d_gradient_of_weights_samples());
  s.add<Conv2dTranspose>(conv2d_transpose_samples());
}

}  // namespace oxbow::test
