// 784-1024-1024-10: forward and what flows back go by rows, each thread its own; then the weights, each thread its own.
#include "dense.h"
#include "loss.h"
#include "net.h"

namespace straight {
namespace {

constexpr int batch = 1024, pixels = 784, units = 1024, classes = 10, tile = 256;

class Mlp final : public Net {
 public:
  Mlp(const Start& s, Team& team)
      : team_(team),
        x_(batch, pixels, pixels),
        h_{Matrix(batch, units), Matrix(batch, units)},
        dh_{Matrix(batch, units), Matrix(batch, units)},
        logits_(batch, classes),
        layers_{layer(s, "dense", pixels), layer(s, "dense_1", panel), layer(s, "dense_2", panel)},
        labels_(s.labels),
        losses_(static_cast<std::size_t>(team.threads())) {
    std::ranges::copy(s.x, x_.data.data());
    for (int t = 0; t < team.threads(); ++t)
      scratch_.emplace_back(layers_[0].scratch_size() + layers_[1].scratch_size());
  }

  float step() override {
    adam_.begin_step();
    team_.run([this](int thread) {
      losses_[static_cast<std::size_t>(thread)] = rows(team_.share(batch, thread, tile), thread);
      team_.barrier();
      float* scratch = scratch_[static_cast<std::size_t>(thread)].data();
      layers_[2].update(h_[1], logits_, adam_, team_, thread, scratch);
      layers_[1].update(h_[0], dh_[1], adam_, team_, thread, scratch);
      layers_[0].update(x_, dh_[0], adam_, team_, thread, scratch);
    });
    double loss = 0;
    for (const double l : losses_) loss += l;
    return static_cast<float>(loss / batch);
  }

  Values variables() const override {
    return {{"dense/kernel", layers_[0].kernel()},   {"dense/bias", layers_[0].bias_values()},
            {"dense_1/kernel", layers_[1].kernel()}, {"dense_1/bias", layers_[1].bias_values()},
            {"dense_2/kernel", layers_[2].kernel()}, {"dense_2/bias", layers_[2].bias_values()}};
  }

 private:
  static Dense layer(const Start& s, const std::string& name, int x_width) {
    return Dense(s.variables.at(name + "/kernel"), s.variables.at(name + "/bias"), batch, tile, x_width);
  }

  double rows(Range r, int thread) {
    const auto relu = [this](int layer) {
      return [this, layer](int p, int, int n, float* y) {
        const float* bias = layers_[layer].bias(p);
        for (int i = 0; i < n; ++i, y += panel)
          for (int j = 0; j < panel; ++j) y[j] = std::max(y[j] + bias[j], 0.0f);
      };
    };
    const auto where_positive = [this](int layer) {
      return [this, layer](int p, int row, int n, float* dy) {
        const float* h = h_[layer].at(p, row);
        for (int i = 0; i < n * panel; ++i) dy[i] = h[i] > 0 ? dy[i] : 0;
      };
    };
    layers_[1].transpose(team_, thread);
    layers_[2].transpose(team_, thread);
    layers_[0].forward(x_, h_[0], r, relu(0));
    layers_[1].forward(h_[0], h_[1], r, relu(1));
    double loss = 0;
    layers_[2].forward(h_[1], logits_, r, [&](int, int row, int n, float* y) {
      loss += cross_entropy(y, layers_[2].bias(0), n, classes, layers_[2].width(), batch, labels_.data() + row);
    });
    team_.barrier();  // the weights are transposed
    layers_[2].to_x(logits_, dh_[1], r, where_positive(1));
    layers_[1].to_x(dh_[1], dh_[0], r, where_positive(0));
    return loss;
  }

  Team& team_;
  Matrix x_, h_[2], dh_[2], logits_;
  Dense layers_[3];
  std::vector<int> labels_;
  std::vector<double> losses_;
  std::vector<Array> scratch_;
  Adam adam_;
};

}  // namespace

std::unique_ptr<Net> mlp_large(const Start& start, Team& team) { return std::make_unique<Mlp>(start, team); }

}  // namespace straight
