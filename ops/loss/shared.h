// What losses share: checks, and what becomes of the losses of rows. Internal to ops/loss.
#pragma once

#include <oxbow/ops/loss.h>

#include <string>

namespace oxbow::ops {

/// Throws `Error` for two operands that would broadcast where they are meant to be alike.
void check_alike(const std::string& op, Value a, Value b, const std::string& a_name, const std::string& b_name, At at);
/// Throws `Error` for the output of softmax where logits are meant.
void check_no_softmax(const std::string& op, Value logits, At at);
Value reduced(Value losses, Reduction reduction, At at);

}  // namespace oxbow::ops
