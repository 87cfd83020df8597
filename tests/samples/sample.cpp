#include "samples/sample.h"

#include "samples/families.h"

namespace oxbow::test {
namespace {

Samples all() {
  Samples s;
  add_pointwise(s);
  add_reduction(s);
  add_scan(s);
  add_shape(s);
  add_shape_parts(s);
  add_shape_by_value(s);
  add_shape_cuts(s);
  add_shape_indexing(s);
  add_shape_found(s);
  add_linalg(s);
  add_conv(s);
  add_pool(s);
  add_resize(s);
  add_norm(s);
  add_attention(s);
  add_recurrent(s);
  add_loss(s);
  add_random(s);
  add_signal(s);
  add_control(s);
  return s;
}

}  // namespace

const std::map<std::string, std::vector<Sample>, std::less<>>& all_samples() {
  static const Samples samples = all();
  return samples.by_op();
}

const std::vector<Sample>& samples_of(std::string_view op) {
  static const std::vector<Sample> none;
  const auto place = all_samples().find(op);
  return place == all_samples().end() ? none : place->second;
}

}  // namespace oxbow::test
