#include "onnx/operators/operators.h"

#include <map>

namespace oxbow::onnx {

namespace {

using Key = std::pair<std::string_view, std::string_view>;

const std::multimap<Key, const Operator*>& index() {
  static const std::multimap<Key, const Operator*> all = [] {
    std::multimap<Key, const Operator*> entries;
    for (const Operators family :
         {pointwise_operators(), reduction_operators(), shape_operators(), indexing_operators(), signal_operators(),
          linalg_operators(), image_operators(), nn_operators(), loss_operators(), recurrent_operators(),
          attention_operators(), control_operators(), random_operators(), state_operators(), training_operators(),
          microsoft_operators()})
      for (const Operator& o : family) entries.emplace(Key{o.domain, o.name}, &o);
    return entries;
  }();
  return all;
}

}  // namespace

const Operator* find_operator(std::string_view domain, std::string_view name, std::int64_t opset) {
  const auto [begin, end] = index().equal_range({domain == "ai.onnx" ? "" : domain, name});
  for (auto i = begin; i != end; ++i)
    if (i->second->since <= opset && opset <= i->second->until) return i->second;
  return nullptr;
}

}  // namespace oxbow::onnx
