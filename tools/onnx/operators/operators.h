// The operators that an import knows: a list a family, an entry an operator. A new operator is an entry; a new family a
// file with its list, named in operators.cpp. Thread safety: constants.
#pragma once

#include <limits>
#include <span>
#include <string_view>

#include "onnx/import/context.h"

namespace oxbow::onnx {

using Convert = Outputs (*)(Context& c);

struct Operator {
  std::string_view name;
  Convert convert;
  /// The opsets that the entry is for, where they differ more than the getters of `Context` even out.
  std::int64_t since = 1, until = std::numeric_limits<std::int64_t>::max();
  std::string_view domain = "";
};
using Operators = std::span<const Operator>;

inline constexpr std::string_view microsoft = "com.microsoft", preview = "ai.onnx.preview",
                                  training = "ai.onnx.preview.training";

Operators pointwise_operators();
Operators reduction_operators();
Operators shape_operators();
Operators indexing_operators();
Operators signal_operators();
Operators linalg_operators();
Operators image_operators();
Operators nn_operators();
Operators loss_operators();
Operators recurrent_operators();
Operators attention_operators();
Operators control_operators();
Operators random_operators();
Operators state_operators();
Operators training_operators();
Operators microsoft_operators();

/// The entry for an operator of an opset, or null. The domain "ai.onnx" is "".
const Operator* find_operator(std::string_view domain, std::string_view name, std::int64_t opset);

}  // namespace oxbow::onnx
