// Softmax and cross entropy.
#pragma once

#include "maths.h"

namespace straight {

/// In place: logits, to which the bias is added, become the gradient of the mean over `rows` of cross entropy. Returns
/// the sum of the losses of n rows of `classes` in `width`, whose padding becomes zero.
inline double cross_entropy(float* logits, const float* bias, int n, int classes, int width, int rows,
                            const int* labels) {
  double loss = 0;
  for (int r = 0; r < n; ++r, logits += width) {
    float top = -1e30f, sum = 0;
    for (int j = 0; j < classes; ++j) top = std::max(top, logits[j] += bias[j]);
    const float at_label = logits[labels[r]];
    for (int j = 0; j < classes; ++j) sum += logits[j] = exp(logits[j] - top);
    const float scale = 1 / (sum * static_cast<float>(rows));
    for (int j = 0; j < classes; ++j) logits[j] *= scale;
    logits[labels[r]] -= 1 / static_cast<float>(rows);
    for (int j = classes; j < width; ++j) logits[j] = 0;
    loss += std::log(sum) + top - at_label;
  }
  return loss;
}

}  // namespace straight
