// The families' lists of samples, each at the end of its family's file in this folder: a line an op.
#pragma once

#include <stdexcept>

#include "samples/sample.h"

namespace oxbow::test {

class Samples {
 public:
  template <OpType T>
  void add(std::vector<Sample> samples) {
    if (!by_op_.emplace(T::info.name, std::move(samples)).second)
      throw std::logic_error(std::string(T::info.name) + " is listed twice");
  }
  const std::map<std::string, std::vector<Sample>, std::less<>>& by_op() const { return by_op_; }

 private:
  std::map<std::string, std::vector<Sample>, std::less<>> by_op_;
};

void add_pointwise(Samples& s);
void add_reduction(Samples& s);
void add_scan(Samples& s);
void add_shape(Samples& s);
void add_shape_parts(Samples& s);
void add_shape_by_value(Samples& s);
void add_shape_cuts(Samples& s);
void add_shape_indexing(Samples& s);
void add_shape_found(Samples& s);
void add_linalg(Samples& s);
void add_conv(Samples& s);
void add_pool(Samples& s);
void add_resize(Samples& s);
void add_norm(Samples& s);
void add_attention(Samples& s);
void add_recurrent(Samples& s);
void add_loss(Samples& s);
void add_random(Samples& s);
void add_signal(Samples& s);
void add_control(Samples& s);

}  // namespace oxbow::test
