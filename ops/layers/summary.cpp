#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/layers/summary.h>
#include <oxbow/ops/shared/layer_state.h>

#include <algorithm>
#include <map>
#include <set>

namespace oxbow {
namespace {

struct SummaryRow {
  std::string layer, shape;
  std::int64_t parameters = 0;
};

struct SummaryTotals {
  std::int64_t trainable = 0, fixed = 0, state = 0;
  void add(const Value& v) { (v.node().op().as<ops::Variable>()->trainable ? trainable : fixed) += v.shape().count(); }
};

// 1234567 as "1,234,567".
std::string with_commas(std::int64_t n) {
  std::string digits = std::to_string(n);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  return digits;
}

std::string table(const std::vector<SummaryRow>& rows, const SummaryTotals& totals) {
  SummaryRow head{"Layer (kind)", "Output", 0};
  std::size_t wide[2] = {head.layer.size(), head.shape.size()}, count = std::string_view("Parameters").size();
  for (const SummaryRow& r : rows) {
    wide[0] = std::max(wide[0], r.layer.size());
    wide[1] = std::max(wide[1], r.shape.size());
    count = std::max(count, with_commas(r.parameters).size());
  }
  const auto line = [&](const std::string& a, const std::string& b, const std::string& c) {
    return a + std::string(wide[0] - a.size() + 2, ' ') + b + std::string(wide[1] - b.size() + 2, ' ') +
           std::string(count - c.size(), ' ') + c + "\n";
  };
  const std::size_t width = wide[0] + wide[1] + count + 4;
  std::string text = line(head.layer, head.shape, "Parameters") + std::string(width, '=') + "\n";
  for (const SummaryRow& r : rows) text += line(r.layer, r.shape, with_commas(r.parameters));
  text += std::string(width, '=') + "\n";
  text += "Parameters: " + with_commas(totals.trainable + totals.fixed) + ", trainable " +
          with_commas(totals.trainable) + ", not trainable " + with_commas(totals.fixed) + "\n";
  if (totals.state > 0) text += "State of optimizers and generators: " + with_commas(totals.state) + "\n";
  return text;
}

// What kind of layer has these variables: by the scope's own name, "dense_1", or else, where the user chose another,
// by the variables' names and shapes. Of those that look alike, the norm over groups reshapes, and a
// convolution is transposed by its op.
std::string kind_of_scope(const std::string& scope, const std::vector<Value>& variables,
                          const std::set<std::string>& built) {
  static constexpr std::pair<std::string_view, std::string_view> kinds[] = {{"dense", "Dense"},
                                                                            {"conv", "Conv2D"},
                                                                            {"conv1d", "Conv1D"},
                                                                            {"conv3d", "Conv3D"},
                                                                            {"conv_transpose", "Conv2DTranspose"},
                                                                            {"depthwise_conv", "DepthwiseConv2D"},
                                                                            {"separable_conv", "SeparableConv2D"},
                                                                            {"batch_norm", "BatchNorm"},
                                                                            {"layer_norm", "LayerNorm"},
                                                                            {"rms_norm", "RMSNorm"},
                                                                            {"group_norm", "GroupNorm"},
                                                                            {"embedding", "Embedding"},
                                                                            {"position_embedding", "PositionEmbedding"},
                                                                            {"simple_rnn", "SimpleRNN"},
                                                                            {"gru", "GRU"},
                                                                            {"lstm", "LSTM"}};
  std::string own = scope.substr(scope.rfind('/') + 1);
  const std::size_t letters = own.find_last_not_of("0123456789");
  if (letters != std::string::npos && letters + 1 < own.size() && own[letters] == '_') own.resize(letters);
  for (const auto& [word, kind] : kinds)
    if (own == word) return std::string(kind);
  std::map<std::string, Shape> by_name;
  for (const Value& v : variables) by_name.emplace(v.node().name(), v.shape());
  const auto has = [&](const char* name) { return by_name.contains(name); };
  if (has("recurrent_kernel")) {
    const Shape& u = by_name.at("recurrent_kernel");
    const std::int64_t gates = u.rank() == 2 && u[0] > 0 ? u[1] / u[0] : 0;
    return gates == 4 ? "LSTM" : gates == 3 ? "GRU" : gates == 1 ? "SimpleRNN" : "";
  }
  if (has("depthwise_kernel")) return has("pointwise_kernel") ? "SeparableConv2D" : "DepthwiseConv2D";
  if (has("kernel")) {
    const int rank = by_name.at("kernel").rank();
    return rank == 2                            ? "Dense"
           : rank == 3                          ? "Conv1D"
           : rank == 5                          ? "Conv3D"
           : rank != 4                          ? ""
           : built.contains("conv2d_transpose") ? "Conv2DTranspose"
                                                : "Conv2D";
  }
  if (has("running_mean")) return "BatchNorm";
  if (has("embeddings")) return built.contains("gather") ? "Embedding" : "PositionEmbedding";
  if (has("scale") && by_name.size() == (has("offset") ? 2 : 1))
    return built.contains("reshape") ? "GroupNorm" : has("offset") ? "LayerNorm" : "RMSNorm";
  return "";
}

std::string with_kind(const std::string& name, const std::string& kind) {
  std::string text = name;
  if (kind.empty()) return text;
  if (!text.empty()) text += ' ';
  text += '(';
  text += kind;
  return text += ')';
}

// A Sequential is the rows of its layers. A Residual or a function of layers is a row behind them; others are one row
// with all that is in them.
void add_rows(const Layer& layer, std::vector<SummaryRow>& rows, std::vector<Value>& counted, SummaryTotals& totals) {
  const ops::LayerState& state = ops::LayerState::of(layer);
  if (layer.kind() == "Sequential") {
    for (const Layer& l : state.inner()) add_rows(l, rows, counted, totals);
    return;
  }
  if (!state.last_output())
    throw Error("summary: a layer (" + std::string(layer.kind()) +
                ") was not called, so that its shapes are not known\n  Call the network on an input first");
  const bool shows_inner = layer.kind() == "Residual" || layer.kind() == "Lambda";
  if (shows_inner)
    for (const Layer& l : state.inner()) add_rows(l, rows, counted, totals);
  SummaryRow row{with_kind(layer.name(), std::string(layer.kind())), to_string(*state.last_output()), 0};
  for (const Value& v : layer.variables()) {
    if (!shows_inner) row.parameters += v.shape().count();
    if (std::any_of(counted.begin(), counted.end(), [&](const Value& c) { return c.same(v); })) continue;
    counted.push_back(v);
    totals.add(v);
  }
  rows.push_back(std::move(row));
}

}  // namespace

std::string summary(const Layer& net) {
  std::vector<SummaryRow> rows;
  std::vector<Value> counted;
  SummaryTotals totals;
  add_rows(net, rows, counted, totals);
  return table(rows, totals);
}

std::string summary(const Graph& g) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<Value>> by_scope;
  SummaryTotals totals;
  for (const Value& v : variables(g, /*trainable_only=*/false)) {
    const Node n = v.node();
    if (!is_float(v.dtype()) || n.origin().phase != Phase::forward) {
      totals.state += v.shape().count();
      continue;
    }
    const std::string& scope = n.origin().scope.str();
    if (!by_scope.contains(scope)) order.push_back(scope);
    by_scope[scope].push_back(v);
    totals.add(v);
  }
  std::map<std::string, Value> last;  // what each scope built last: of several outputs the one that is read
  std::map<std::string, std::set<std::string>> built;
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node n = g.node(id);
    const std::string& scope = n.origin().scope.str();
    if (n.origin().phase != Phase::forward || n.op().is<ops::Variable>() || n.output_count() == 0) continue;
    for (const Value& v : n.inputs())
      if (v && v.node().output_count() > 1)
        if (const auto of = last.find(v.node().origin().scope.str()); of != last.end() && of->second.node() == v.node())
          of->second = v;
    last[scope] = n.output();
    built[scope].emplace(n.op().name());
  }
  std::vector<SummaryRow> rows;
  for (const std::string& scope : order) {
    const std::vector<Value>& own = by_scope[scope];
    SummaryRow row{scope.empty() ? "(no scope)" : with_kind(scope, kind_of_scope(scope, own, built[scope])),
                   !scope.empty() && last.contains(scope) ? to_string(last.at(scope).type()) : "", 0};
    for (const Value& v : own) row.parameters += v.shape().count();
    rows.push_back(std::move(row));
  }
  return table(rows, totals);
}

}  // namespace oxbow
