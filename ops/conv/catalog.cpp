#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/conv/conv.h>
#include <oxbow/ops/conv/depthwise.h>
#include <oxbow/ops/conv/nodes.h>
#include <oxbow/ops/conv/pool.h>
#include <oxbow/ops/conv/resize_axis.h>
#include <oxbow/ops/conv/transpose.h>

namespace oxbow::ops {

void add_conv(Catalog& c) {
  c.add<Conv2d>({.formula = "the convolution of images with weights",
                 .example = inputs({{f64, {1, 4, 4, 2}}, {f64, {3, 3, 2, 5}}})});
  c.add<Conv2dTranspose>({.formula = "the gradient of conv2d to its images, of x",
                          .example = inputs({{f64, {1, 3, 3, 5}}, {f64, {3, 3, 2, 5}}})});
  c.add<MaxPool>({.formula = "the largest of each window", .example = inputs({{f64, {1, 4, 4, 2}}})});
  c.add<MaxPoolPlaces>(
      {.formula = "which element of x is the largest of each window", .example = inputs({{f64, {1, 4, 4, 2}}})});
  c.add<AveragePool>(
      {.formula = "the sum of each window, divided by its elements", .example = inputs({{f64, {1, 4, 4, 2}}})});
  c.add<Conv2dGradientOfX>({.formula = "the gradient of conv2d to its images"}, Made::by_gradients);
  c.add<Conv2dGradientOfWeights>({.formula = "the gradient of conv2d to its weights"}, Made::by_gradients);
  c.add<MaxPoolGradient>({.formula = "dy at the largest element of each window"}, Made::by_gradients);
  c.add<MaxPoolGradientGradient>({.formula = "v at the largest element of each window"}, Made::by_gradients);
  c.add<ResizeAxis>({.formula = "x with an axis of another size",
                     .example = inputs({{f64, {1, 4, 4, 2}}}),
                     .op = {{.axis = 1, .size = 6, .mode = "linear"}}});
  c.add<ResizeAxisGradient>({.formula = "each dy added to the elements that it is made of"}, Made::by_gradients);
  c.add<AveragePoolGradient>({.formula = "each dy, divided, added to the elements of its window"}, Made::by_gradients);
  c.add<ConvForward>({.formula = "rows of the convolution, from weights in panels"}, Made::by_passes);
  c.add<ConvWindows>({.formula = "the windows of x as rows"}, Made::by_passes);
  c.add<ConvAdjoint>({.formula = "rows of the gradient to the images"}, Made::by_passes);
  c.add<ConvStrips>({.formula = "the gradient to images of few channels"}, Made::by_passes);
  c.add<ConvWeightChunks>({.formula = "the gradient to the weights, of each chunk of images"}, Made::by_passes);
  c.add<DepthwiseForward>({.formula = "rows of the convolution with a kernel a channel"}, Made::by_passes);
  c.add<DepthwiseAdjoint>({.formula = "rows of its gradient to the images"}, Made::by_passes);
  c.add<DepthwiseWeightChunks>({.formula = "its gradient to the weights, of each chunk of images"}, Made::by_passes);
  c.renamed("conv2d_input", "conv2d_gradient_of_x").renamed("conv2d_weights", "conv2d_gradient_of_weights");
  c.renamed("max_pool_pick", "max_pool_gradient_gradient");
}

}  // namespace oxbow::ops
