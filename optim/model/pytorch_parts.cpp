#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/shared/layer_state.h>
#include <oxbow/optim/model/pytorch_parts.h>

#include <algorithm>
#include <set>

namespace oxbow::optim::internal {
using namespace oxbow::internal;
using ops::LayerState;

namespace {

using Names = std::map<std::string, std::string>;

std::string joined(const std::string& outer, char by, const std::string& inner) {
  return outer.empty() ? inner : inner.empty() ? outer : outer + by + inner;
}

// What is behind `outer` in a scope; the whole scope where it is not within that.
std::string behind(const std::string& outer, const std::string& scope) {
  if (scope == outer) return "";
  return !outer.empty() && scope.starts_with(outer + "/") ? scope.substr(outer.size() + 1) : scope;
}

class PartsOfNet {
 public:
  PartsOfNet(const char* function, const Layer& net, const Names& modules)
      : function_(function), net_(net.name()), modules_(modules) {
    for (const Layer& l : LayerState::all_of(net)) add(l);
    if (parts.empty())
      throw Error(std::string(function_) + ": the net has no variables. Call it first, as they are made then");
  }
  std::vector<TorchPart> parts;

 private:
  // The name of a layer's module: the scope, of which the longest part that there is a name for is replaced.
  std::string module_of(const std::string& scope) const {
    std::string name, rest = scope;
    std::size_t longest = 0;
    for (const auto& [layer, module] : modules_)
      if (layer.size() > longest && (scope == layer || scope.starts_with(layer + "/"))) {
        longest = layer.size();
        name = module;
        rest = behind(layer, scope);
      }
    std::replace(rest.begin(), rest.end(), '/', '.');
    return joined(name, '.', rest);
  }

  // What the user says of a layer is there already, and stays.
  void rename(const std::string& scope, std::initializer_list<std::pair<const char*, const char*>> inner) {
    const std::string module = module_of(scope);
    for (const auto& [layer, name] : inner) modules_.emplace(joined(scope, '/', layer), joined(module, '.', name));
  }

  // Layers come before those in them, which they give names.
  void add(const Layer& l) {
    const LayerState& layer = LayerState::of(l);
    const std::string_view kind = layer.kind();
    const std::string scope = behind(net_, layer.scope());
    if (!layer.was_called()) return;
    if (kind == "MultiHeadAttention")
      add_attention(l, scope);
    else if (kind == "TransformerBlock")
      rename_block(l, scope);
    else if (kind == "Bidirectional") {
      rename(scope, {{"forward", ""}, {"backward", ""}});
      backward_.insert(joined(scope, '/', "backward"));
    } else if (kind == "LSTM" || kind == "GRU" || kind == "SimpleRNN")
      add_recurrent(layer, scope);
    else if (const auto known = projections_.find(scope); known != projections_.end())
      add_projection(layer, known->second);
    else
      for (const Value& v : layer.own()) add_variable(layer, v, module_of(scope));
  }

  void rename_block(const Layer& block, const std::string& scope) {
    const std::string cross = joined(scope, '/', "cross_attention");
    const std::vector<Layer> inner = LayerState::all_of(block);
    const bool memory = std::any_of(inner.begin(), inner.end(),
                                    [&](const Layer& l) { return behind(net_, LayerState::of(l).scope()) == cross; });
    rename(scope, {{"attention_norm", "norm1"},
                   {"attention", "self_attn"},
                   {"cross_attention_norm", "norm2"},
                   {"cross_attention", "multihead_attn"},
                   {"dense_norm", memory ? "norm3" : "norm2"},
                   {"dense", "linear1"},
                   {"dense_1", "linear2"}});
  }

  void add_attention(const Layer& attention, const std::string& scope) {
    rename(scope, {{"output", "out_proj"}});
    const char* const names[] = {"query", "key", "value"};
    std::vector<Shape> shapes;
    for (const Layer& l : LayerState::all_of(attention))
      for (int i = 0; i < 3; ++i)
        if (const std::string own = joined(scope, '/', names[i]); behind(net_, LayerState::of(l).scope()) == own) {
          projections_[own] = {module_of(scope), i};
          shapes.push_back(LayerState::of(l).find("kernel")->output().shape());
        }
    if (shapes.size() != 3 || shapes[0] != shapes[1] || shapes[0] != shapes[2])
      refuse(LayerState::of(attention),
             "its queries, keys and values have different sizes, which PyTorch's MultiheadAttention cannot");
  }

  // A third of a MultiheadAttention's one projection.
  void add_projection(const LayerState& layer, const std::pair<std::string, int>& place) {
    for (const Value& v : layer.own()) {
      const bool kernel = v.node().name() == "kernel";
      parts.push_back({.variable = variable_of(v).name,
                       .key = joined(place.first, '.', kernel ? "in_proj_weight" : "in_proj_bias"),
                       .form = kernel ? TorchPart::Form::kernel : TorchPart::Form::same,
                       .part = place.second,
                       .parts = 3});
    }
  }

  void add_recurrent(const LayerState& layer, const std::string& scope) {
    const bool gru = std::string_view(layer.kind()) == "GRU";
    const std::string module = module_of(scope), end = backward_.contains(scope) ? "_reverse" : "";
    const auto add = [&](const Value& v, const char* key, TorchPart::Form form, int row = -1, int term = -1) {
      parts.push_back({.variable = variable_of(v).name,
                       .key = joined(module, '.', key + end),
                       .form = form,
                       .row = row,
                       .gates = gru,
                       .term = term});
    };
    using enum TorchPart::Form;
    for (const Value& v : layer.own()) {
      if (v.node().name() == "kernel") {
        add(v, "weight_ih_l0", kernel);
      } else if (v.node().name() == "recurrent_kernel") {
        add(v, "weight_hh_l0", kernel);
      } else if (!gru) {
        add(v, "bias_ih_l0", same, -1, 0);
        add(v, "bias_hh_l0", same, -1, 1);
      } else if (v.rank() == 2) {
        add(v, "bias_ih_l0", same, 0);
        add(v, "bias_hh_l0", same, 1);
      } else {
        refuse(layer,
               "its reset gate is applied before the product, and PyTorch's after it: make it with .reset_after");
      }
    }
  }

  void add_variable(const LayerState& layer, const Value& v, const std::string& module) {
    using enum TorchPart::Form;
    struct Known {
      std::string_view ours, theirs;
      TorchPart::Form form = same;
    };
    static constexpr Known all[] = {{"kernel", "weight", kernel},
                                    {"bias", "bias"},
                                    {"depthwise_kernel", "weight", depthwise},
                                    {"embeddings", "weight"},
                                    {"scale", "weight"},
                                    {"offset", "bias"},
                                    {"running_mean", "running_mean"},
                                    {"running_variance", "running_var"}};
    const auto known =
        std::find_if(std::begin(all), std::end(all), [&](const Known& k) { return k.ours == v.node().name(); });
    if (known == std::end(all) || std::string_view(layer.kind()) == "SeparableConv2D")
      refuse(layer, "PyTorch has no such module: make it of a DepthwiseConv2D and a Conv2D of .size = 1");
    parts.push_back(
        {.variable = variable_of(v).name, .key = joined(module, '.', std::string(known->theirs)), .form = known->form});
  }

  [[noreturn]] void refuse(const LayerState& layer, const std::string& why) const {
    throw Error(std::string(function_) + ": the " + layer.kind() + " " + in_quotes(layer.scope()) +
                " has no counterpart: " + why);
  }

  const char* function_;
  std::string net_;
  Names modules_;
  std::map<std::string, std::pair<std::string, int>> projections_;  // by scope: module, and which third
  std::set<std::string> backward_;
};

}  // namespace

std::vector<TorchPart> pytorch_parts(const char* function, const Layer& net, const Names& modules) {
  return PartsOfNet(function, net, modules).parts;
}

}  // namespace oxbow::optim::internal
