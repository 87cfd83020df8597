// The character LSTM: units are shared among threads, which meet after each time step. A panel of 64 columns holds the
// four gates of 16 units, so that a cell is its tile's tail. Rows are in the order of time.
#include "dense.h"
#include "loss.h"
#include "net.h"

namespace straight {
namespace {

constexpr int steps = 100, batch = 32, units = 256, letters = 65, embedded = 64;
constexpr int lanes = 16, panels = units / lanes, columns = 4 * units, rows = steps * batch, head_tile = 160;
constexpr int chunk = 10 * batch;  // rows of the sum over time that are taken at once, while they are in cache

// Column j of the engine's [i, f, g, o] blocks, in panels.
constexpr int place(int j) { return j % units / lanes * panel + j / units * lanes + j % lanes; }

// [in][4 units] to and from [panels][in][64].
Parameter in_panels(std::span<const float> from) {
  const int in = static_cast<int>(from.size()) / columns;
  Parameter to(from.size());
  for (int i = 0; i < in; ++i)
    for (int j = 0; j < columns; ++j)
      to.w[static_cast<std::size_t>((place(j) / panel * in + i) * panel + place(j) % panel)] =
          from[static_cast<std::size_t>(i * columns + j)];
  return to;
}
std::vector<float> from_panels(const Array& from) {
  const int in = static_cast<int>(from.size()) / columns;
  std::vector<float> to(from.size());
  for (int i = 0; i < in; ++i)
    for (int j = 0; j < columns; ++j)
      to[static_cast<std::size_t>(i * columns + j)] =
          from[static_cast<std::size_t>((place(j) / panel * in + i) * panel + place(j) % panel)];
  return to;
}

void transpose(const float* from, float* to) {
  for (int i = 0; i < panel; i += lanes)
    for (int j = 0; j < panel; ++j)
      for (int ii = i; ii < i + lanes; ++ii) to[j * panel + ii] = from[ii * panel + j];
}

class Lstm final : public Net {
 public:
  Lstm(const Start& s, Team& team)
      : team_(team),
        embedding_(s.variables.at("embedding/embeddings")),
        wx_(in_panels(s.variables.at("lstm/kernel"))),
        wh_(in_panels(s.variables.at("lstm/recurrent_kernel"))),
        b_(in_panels(s.variables.at("lstm/bias"))),
        head_(s.variables.at("dense/kernel"), s.variables.at("dense/bias"), rows, head_tile),
        table_(letters, columns),
        gates_(rows, columns),
        h_(rows, units),
        dh_(rows, units),
        cell_(rows, units, lanes),
        tanh_cell_(rows, units, lanes),
        logits_(rows, letters),
        dc_(batch, units, lanes),
        wh_transposed_(columns, units),
        wx_transposed_(columns, embedded, panel),
        d_embedding_(letters, embedded, panel),
        losses_(static_cast<std::size_t>(team.threads())) {
    for (int t = 0; t < steps; ++t)
      for (int n = 0; n < batch; ++n) {
        tokens_.push_back(s.tokens[static_cast<std::size_t>(n * steps + t)]);
        labels_.push_back(s.labels[static_cast<std::size_t>(n * steps + t)]);
      }
    for (int t = 0; t < team.threads(); ++t) scratch_.emplace_back(head_.scratch_size());
  }

  float step() override {
    adam_.begin_step();
    team_.run([this](int thread) {
      const Range own = team_.share(panels, thread, panel / lanes);
      head_.transpose(team_, thread);
      transpose_weights(own);
      for (int p = own.begin; p < own.end; ++p) {
        letter_(embedding_.w.data(), wx_.w.data() + p * embedded * panel, table_.at(p, 0));
        for (int l = 0; l < letters; ++l)
          for (int j = 0; j < panel; ++j) table_.at(p, l)[j] += b_.w[static_cast<std::size_t>(p * panel + j)];
      }
      for (int t = 0; t < steps; ++t) {
        forward(t, own);
        team_.barrier();
      }
      const Range part = team_.share(rows, thread, head_tile);
      double loss = 0;
      head_.forward(h_, logits_, part, [&](int, int row, int n, float* y) {
        loss += cross_entropy(y, head_.bias(0), n, letters, head_.width(), rows, labels_.data() + row);
      });
      losses_[static_cast<std::size_t>(thread)] = loss;
      head_.to_x(logits_, dh_, part);
      team_.barrier();
      for (int p = own.begin; p < own.end; ++p) {
        std::fill_n(dc_.at(p, 0), batch * lanes, 0.0f);
        std::fill_n(table_.at(p, 0), letters * panel, 0.0f);
        std::fill_n(wh_.g.data() + p * units * panel, units * panel, 0.0f);
      }
      for (int t = steps - 1; t >= 0; --t) {
        backward(t, own);
        team_.barrier();
        if (t % (chunk / batch) == 0) gather(t, own);
      }
      team_.barrier();  // what flows to the table of letters is complete
      if (thread == 0) to_embedding_(table_.at(0, 0), wx_transposed_.at(0, 0), d_embedding_.at(0, 0));
      update(own, scratch_[static_cast<std::size_t>(thread)].data());
      head_.update(h_, logits_, adam_, team_, thread, scratch_[static_cast<std::size_t>(thread)].data());
      team_.barrier();
      if (thread == 0) embedding_.update(adam_, d_embedding_.at(0, 0), 0, embedding_.w.size());
    });
    double loss = 0;
    for (const double l : losses_) loss += l;
    return static_cast<float>(loss / rows);
  }

  Values variables() const override {
    return {{"embedding/embeddings", {embedding_.w.data(), embedding_.w.data() + embedding_.w.size()}},
            {"lstm/kernel", from_panels(wx_.w)},
            {"lstm/recurrent_kernel", from_panels(wh_.w)},
            {"lstm/bias", from_panels(b_.w)},
            {"dense/kernel", head_.kernel()},
            {"dense/bias", head_.bias_values()}};
  }

 private:
  void transpose_weights(Range own) {
    for (int p = own.begin; p < own.end; ++p) {
      for (int q = 0; q < units / panel; ++q)
        transpose(wh_.w.data() + (p * units + q * panel) * panel, wh_transposed_.at(q, p * panel));
      transpose(wx_.w.data() + p * embedded * panel, wx_transposed_.at(0, p * panel));
    }
  }

  void forward(int t, Range own) {
    const int first = t * batch;
    for (int p = own.begin; p < own.end; ++p) {
      float *z = gates_.at(p, first), *c = cell_.at(p, first), *tanh_c = tanh_cell_.at(p, first);
      const float* before = c - batch * lanes;
      for (int n = 0; n < batch; ++n)
        std::copy_n(table_.at(p, tokens_[static_cast<std::size_t>(first + n)]), panel, z + n * panel);
      if (t > 0) recurrent_(h_.at(0, first - batch), wh_.w.data() + p * units * panel, z);
      for (int n = 0; n < batch; ++n, z += panel, c += lanes, tanh_c += lanes, before += lanes) {
        float* h = h_.at(p * lanes / panel, first + n) + p * lanes % panel;
#pragma omp simd
        for (int u = 0; u < lanes; ++u) {
          const float in = sigmoid(z[u]), forget = sigmoid(z[lanes + u]), value = tanh(z[2 * lanes + u]),
                      out = sigmoid(z[3 * lanes + u]);
          const float now = in * value + (t > 0 ? forget * before[u] : 0);
          z[u] = in, z[lanes + u] = forget, z[2 * lanes + u] = value, z[3 * lanes + u] = out;
          c[u] = now;
          tanh_c[u] = tanh(now);
          h[u] = out * tanh_c[u];
        }
      }
    }
  }

  // Gates become their gradients.
  void backward(int t, Range own) {
    const int first = t * batch;
    if (t + 1 < steps)
      for (int q = own.begin * lanes / panel; q < own.end * lanes / panel; ++q)
        to_h_(gates_.at(0, first + batch), wh_transposed_.at(q, 0), dh_.at(q, first));
    for (int p = own.begin; p < own.end; ++p) {
      float *z = gates_.at(p, first), *dc = dc_.at(p, 0);
      const float *tanh_c = tanh_cell_.at(p, first), *before = cell_.at(p, first) - batch * lanes;
      for (int n = 0; n < batch; ++n, z += panel, dc += lanes, tanh_c += lanes, before += lanes) {
        const float* dh = dh_.at(p * lanes / panel, first + n) + p * lanes % panel;
#pragma omp simd
        for (int u = 0; u < lanes; ++u) {
          const float in = z[u], forget = z[lanes + u], value = z[2 * lanes + u], out = z[3 * lanes + u];
          const float d = dc[u] + dh[u] * out * (1 - tanh_c[u] * tanh_c[u]);
          z[u] = d * value * in * (1 - in);
          z[lanes + u] = t > 0 ? d * before[u] * forget * (1 - forget) : 0;
          z[2 * lanes + u] = d * in * (1 - value * value);
          z[3 * lanes + u] = dh[u] * tanh_c[u] * out * (1 - out);
          dc[u] = d * forget;
        }
        float* letter = table_.at(p, tokens_[static_cast<std::size_t>(first + n)]);
        for (int j = 0; j < panel; ++j) letter[j] += z[j];
      }
    }
  }

  // The gradient to wh of a chunk of time, which begins at step t.
  void gather(int t, Range own) {
    const int first = t == 0 ? batch : t * batch;
    const Kernel& kernel = t == 0 ? first_gradient_ : gradient_;
    for (int q = 0; q < units / panel; ++q)
      for (int p = own.begin; p < own.end; ++p)
        for (int j = 0; j < panel; j += panel / 2)
          kernel(h_.at(q, first - batch), gates_.at(p, first) + j, wh_.g.data() + (p * units + q * panel) * panel + j);
  }

  void update(Range own, float* tile) {
    for (int p = own.begin; p < own.end; ++p) {
      wh_.update(adam_, wh_.g.data() + p * units * panel, static_cast<std::size_t>(p * units * panel), units * panel);
      to_wx_(embedding_.w.data(), table_.at(p, 0), tile);
      wx_.update(adam_, tile, static_cast<std::size_t>(p * embedded * panel), embedded * panel);
      std::fill_n(tile, panel, 0.0f);
      for (int l = 0; l < letters; ++l)
        for (int j = 0; j < panel; ++j) tile[j] += table_.at(p, l)[j];
      b_.update(adam_, tile, static_cast<std::size_t>(p * panel), panel);
    }
  }

  Team& team_;
  Parameter embedding_, wx_, wh_, b_;
  Dense head_;
  Matrix table_;  // of what each letter adds to the gates, and then of what flows to it
  Matrix gates_, h_, dh_, cell_, tanh_cell_, logits_, dc_, wh_transposed_, wx_transposed_, d_embedding_;
  std::vector<int> tokens_, labels_;
  std::vector<double> losses_;
  std::vector<Array> scratch_;
  Adam adam_;
  static constexpr std::size_t square = panel * panel, all_rows = static_cast<std::size_t>(rows) * panel;
  const Kernel letter_{{letters, panel, embedded, embedded, panel, panel}};
  const SumKernel recurrent_{
      {.rows = batch, .columns = panel, .k = panel, .lda = panel, .ldb = panel, .ldy = panel, .add = true},
      units / panel,
      all_rows,
      square};
  const SumKernel to_h_{
      {.rows = batch, .columns = panel, .k = panel, .lda = panel, .ldb = panel, .ldy = panel, .add = true},
      panels,
      all_rows,
      square};
  const SumKernel to_embedding_{{letters, embedded, panel, panel, panel, embedded}, panels, letters* panel, square};
  const Kernel to_wx_{{.rows = embedded,
                       .columns = panel,
                       .k = letters,
                       .lda = embedded,
                       .ldb = panel,
                       .ldy = panel,
                       .transpose_a = true}};
  static Shape over_time(int k) {
    return {.rows = panel,
            .columns = panel / 2,
            .k = k,
            .lda = panel,
            .ldb = panel,
            .ldy = panel,
            .transpose_a = true,
            .add = true};
  }
  const Kernel gradient_{over_time(chunk)}, first_gradient_{over_time(chunk - batch)};
};

}  // namespace

std::unique_ptr<Net> lstm(const Start& start, Team& team) { return std::make_unique<Lstm>(start, team); }

}  // namespace straight
