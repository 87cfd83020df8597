// GPT: each thread has its own sequences, through all layers and back; after each block's backward the weights are
// shared out.
#include "attention.h"
#include "layer_norm.h"
#include "loss.h"
#include "net.h"

namespace straight {
namespace {

struct Sizes {
  int layers, width, heads, length, batch, letters, tile;
  int rows() const { return batch * length; }
};

std::span<const float> named(const Start& s, const std::string& name) { return s.variables.at(name); }

// Three kernels or biases side by side.
std::vector<float> beside(const Start& s, const std::string& scope, const std::string& name, int width) {
  std::vector<float> all;
  const auto of = [&](const char* part) { return named(s, scope + part + "/" + name); };
  const std::span<const float> parts[] = {of("query"), of("key"), of("value")};
  for (std::size_t row = 0; row < parts[0].size() / static_cast<std::size_t>(width); ++row)
    for (const auto& part : parts)
      for (const float v : part.subspan(row * static_cast<std::size_t>(width), static_cast<std::size_t>(width)))
        all.push_back(v);
  return all;
}

Dense dense(const Start& s, const std::string& name, const Sizes& of) {
  return Dense(named(s, name + "/kernel"), named(s, name + "/bias"), of.rows(), of.tile);
}
LayerNorm norm(const Start& s, const std::string& name, const Sizes& of, int threads) {
  return LayerNorm(named(s, name + "/scale"), named(s, name + "/offset"), of.rows(), threads);
}

struct Block {
  Block(const Start& s, const std::string& scope, const Sizes& of, const Attention& attention, int threads)
      : norm0(norm(s, scope + "norm0", of, threads)),
        norm1(norm(s, scope + "norm1", of, threads)),
        qkv(beside(s, scope, "kernel", of.width), beside(s, scope, "bias", of.width), of.rows(), of.tile),
        projection(dense(s, scope + "projection", of)),
        up(dense(s, scope + "dense", of)),
        down(dense(s, scope + "dense_1", of)),
        normed0(of.rows(), of.width),
        normed1(of.rows(), of.width),
        heads(of.rows(), 3 * of.width),
        seen(of.rows(), of.width),
        wide(of.rows(), 4 * of.width),
        slope(of.rows(), 4 * of.width),
        kept(attention.kept_size(of.batch)) {}
  LayerNorm norm0, norm1;
  Dense qkv, projection, up, down;
  Matrix normed0, normed1, heads, seen, wide, slope;  // slope: of gelu, in forward already
  Array kept;
};

class Transformer final : public Net {
 public:
  Transformer(const Start& s, Team& team, const Sizes& of)
      : team_(team),
        of_(of),
        attention_(of.length, of.heads, of.width),
        letters_(named(s, "letters")),
        places_(named(s, "places")),
        norm_(norm(s, "norm", of, team.threads())),
        head_(dense(s, "dense", of)),
        h_(of.rows(), of.width),
        part_(of.rows(), of.width),
        normed_(of.rows(), of.width),
        logits_(of.rows(), of.letters),
        dh_(of.rows(), of.width),
        d_projection_(of.rows(), of.width),
        d_normed_(of.rows(), of.width),
        d_seen_(of.rows(), of.width),
        d_heads_(of.rows(), 3 * of.width),
        d_wide_(of.rows(), 4 * of.width),
        tokens_(s.tokens),
        labels_(s.labels),
        losses_(static_cast<std::size_t>(team.threads())) {
    for (int l = 0; l < of.layers; ++l)
      blocks_.push_back(std::make_unique<Block>(s, "block" + std::to_string(l) + "/", of, attention_, team.threads()));
    const std::size_t scratch =
        std::max({blocks_[0]->down.scratch_size(), head_.scratch_size(), attention_.scratch_size()});
    for (int t = 0; t < team.threads(); ++t) scratch_.emplace_back(scratch);
  }

  float step() override {
    adam_.begin_step();
    team_.run([this](int thread) {
      const Range rows = team_.share(of_.rows(), thread, of_.tile);
      float* const scratch = scratch_[static_cast<std::size_t>(thread)].data();
      head_.transpose(team_, thread);
      for (const auto& b : blocks_)
        for (const Dense* d : {&b->qkv, &b->projection, &b->up, &b->down}) d->transpose(team_, thread);
      embed(rows);
      for (const auto& b : blocks_) forward(*b, rows, scratch);
      norm_.forward(h_, normed_, rows);
      double loss = 0;
      head_.forward(normed_, logits_, rows, [&](int, int row, int n, float* y) {
        loss += cross_entropy(y, head_.bias(0), n, of_.letters, head_.width(), of_.rows(), labels_.data() + row);
      });
      losses_[static_cast<std::size_t>(thread)] = loss;
      team_.barrier();  // the weights are transposed
      head_.to_x(logits_, d_normed_, rows);
      for (int p = 0; p < dh_.panels(); ++p)
        std::fill_n(dh_.at(p, rows.begin), static_cast<std::size_t>(rows.size()) * panel, 0.0f);
      norm_.backward(d_normed_, dh_, rows, thread);
      team_.barrier();
      head_.update(normed_, logits_, adam_, team_, thread, scratch);
      if (thread == 0) norm_.update(adam_);
      for (auto b = blocks_.rbegin(); b != blocks_.rend(); ++b) {
        backward(**b, rows, thread, scratch);
        team_.barrier();
        update(**b, thread, scratch);
        team_.barrier();  // what flows back is overwritten
      }
      update_embedding(thread, scratch);
    });
    double loss = 0;
    for (const double l : losses_) loss += l;
    return static_cast<float>(loss / of_.rows());
  }

  Values variables() const override {
    Values all{{"letters", {letters_.w.data(), letters_.w.data() + letters_.w.size()}},
               {"places", {places_.w.data(), places_.w.data() + places_.w.size()}}};
    const auto add = [&](const std::string& name, const Dense& d) {
      all[name + "/kernel"] = d.kernel();
      all[name + "/bias"] = d.bias_values();
    };
    const auto add_norm = [&](const std::string& name, const LayerNorm& n) {
      all[name + "/scale"] = n.scale();
      all[name + "/offset"] = n.offset();
    };
    add("dense", head_);
    add_norm("norm", norm_);
    for (std::size_t l = 0; l < blocks_.size(); ++l) {
      const Block& b = *blocks_[l];
      const std::string scope = "block" + std::to_string(l) + "/";
      add_norm(scope + "norm0", b.norm0);
      add_norm(scope + "norm1", b.norm1);
      add(scope + "projection", b.projection);
      add(scope + "dense", b.up);
      add(scope + "dense_1", b.down);
      const std::vector<float> kernel = b.qkv.kernel(), bias = b.qkv.bias_values();
      for (int part = 0; part < 3; ++part) {
        const std::string name = scope + (part == 0 ? "query" : part == 1 ? "key" : "value");
        const auto take = [&](const std::vector<float>& from, std::vector<float>& to) {
          for (std::size_t i = 0; i < from.size(); ++i)
            if (static_cast<int>(i) / of_.width % 3 == part) to.push_back(from[i]);
        };
        take(kernel, all[name + "/kernel"]);
        if (part != 1) take(bias, all[name + "/bias"]);  // a softmax's sums are 1: the keys' gradient is rounding
      }
    }
    return all;
  }

 private:
  void embed(Range rows) {
    for (int r = rows.begin; r < rows.end; ++r)
      for (int p = 0; p < h_.panels(); ++p) {
        const float* letter = letters_.w.data() + tokens_[static_cast<std::size_t>(r)] * of_.width + p * panel;
        const float* place = places_.w.data() + r % of_.length * of_.width + p * panel;
        for (int j = 0; j < panel; ++j) h_.at(p, r)[j] = letter[j] + place[j];
      }
  }

  // h += x w + bias.
  void add(const Dense& d, const Matrix& x, Range rows) {
    d.forward(x, part_, rows, [&](int p, int row, int n, const float* y) {
      float* h = h_.at(p, row);
      for (int i = 0; i < n; ++i, h += panel, y += panel)
        for (int j = 0; j < panel; ++j) h[j] += y[j] + d.bias(p)[j];
    });
  }

  void forward(Block& b, Range rows, float* scratch) {
    b.norm0.forward(h_, b.normed0, rows);
    b.qkv.forward(b.normed0, b.heads, rows, [&](int p, int, int n, float* y) {
      for (int i = 0; i < n; ++i, y += panel)
        for (int j = 0; j < panel; ++j) y[j] += b.qkv.bias(p)[j];
    });
    for (int s = rows.begin / of_.length; s < rows.end / of_.length; ++s)
      attention_.forward(b.heads, b.seen, s, b.kept.data(), scratch);
    add(b.projection, b.seen, rows);
    b.norm1.forward(h_, b.normed1, rows);
    b.up.forward(b.normed1, b.wide, rows, [&](int p, int row, int n, float* y) {
      float* slope = b.slope.at(p, row);
      const float* bias = b.up.bias(p);
      for (int i = 0; i < n; ++i, y += panel, slope += panel)
#pragma omp simd
        for (int j = 0; j < panel; ++j) {
          const Gelu g = gelu(y[j] + bias[j]);
          y[j] = g.value;
          slope[j] = g.slope;
        }
    });
    add(b.down, b.wide, rows);
  }

  void backward(Block& b, Range rows, int thread, float* scratch) {
    b.down.to_x(dh_, d_wide_, rows, [&](int p, int row, int n, float* dy) {
      const float* slope = b.slope.at(p, row);
      for (int i = 0; i < n * panel; ++i) dy[i] *= slope[i];
    });
    b.up.to_x(d_wide_, d_normed_, rows);
    // The gradient of `down` is read when dh has gone on.
    for (int p = 0; p < dh_.panels(); ++p)
      std::copy_n(dh_.at(p, rows.begin), static_cast<std::size_t>(rows.size()) * panel, part_.at(p, rows.begin));
    b.norm1.backward(d_normed_, dh_, rows, thread);
    for (int p = 0; p < dh_.panels(); ++p)
      std::copy_n(dh_.at(p, rows.begin), static_cast<std::size_t>(rows.size()) * panel,
                  d_projection_.at(p, rows.begin));
    b.projection.to_x(dh_, d_seen_, rows);
    for (int s = rows.begin / of_.length; s < rows.end / of_.length; ++s)
      attention_.backward(b.heads, d_seen_, d_heads_, s, b.kept.data(), scratch);
    b.qkv.to_x(d_heads_, d_normed_, rows);
    b.norm0.backward(d_normed_, dh_, rows, thread);
  }

  void update(Block& b, int thread, float* scratch) {
    b.down.update(b.wide, part_, adam_, team_, thread, scratch);
    b.up.update(b.normed1, d_wide_, adam_, team_, thread, scratch);
    b.projection.update(b.seen, d_projection_, adam_, team_, thread, scratch);
    b.qkv.update(b.normed0, d_heads_, adam_, team_, thread, scratch);
    if (thread == 0) b.norm0.update(adam_);
    if (thread == team_.threads() - 1) b.norm1.update(adam_);
  }

  void update_embedding(int thread, float*) {
    const Range part = team_.share(dh_.panels(), thread);
    for (const Parameter* q : {&letters_, &places_})
      for (std::size_t row = 0; row < q->g.size(); row += static_cast<std::size_t>(of_.width))
        std::fill_n(q->g.data() + row + part.begin * panel, part.size() * panel, 0.0f);
    for (int p = part.begin; p < part.end; ++p)
      for (int r = 0; r < of_.rows(); ++r) {
        float* letter = letters_.g.data() + tokens_[static_cast<std::size_t>(r)] * of_.width + p * panel;
        float* place = places_.g.data() + r % of_.length * of_.width + p * panel;
        for (int j = 0; j < panel; ++j) letter[j] += dh_.at(p, r)[j], place[j] += dh_.at(p, r)[j];
      }
    for (Parameter* q : {&letters_, &places_})
      for (std::size_t row = 0; row < q->g.size(); row += static_cast<std::size_t>(of_.width)) {
        const std::size_t first = row + static_cast<std::size_t>(part.begin * panel);
        q->update(adam_, q->g.data() + first, first, static_cast<std::size_t>(part.size() * panel));
      }
  }

  Team& team_;
  Sizes of_;
  Attention attention_;
  Parameter letters_, places_;
  std::vector<std::unique_ptr<Block>> blocks_;
  LayerNorm norm_;
  Dense head_;
  Matrix h_, part_, normed_, logits_, dh_, d_projection_, d_normed_, d_seen_, d_heads_, d_wide_;
  std::vector<int> tokens_, labels_;
  std::vector<double> losses_;
  std::vector<Array> scratch_;
  Adam adam_;
};

}  // namespace

std::unique_ptr<Net> gpt(const Start& start, Team& team) {
  const Sizes of{.layers = 4, .width = 128, .heads = 4, .length = 64, .batch = 12, .letters = 65, .tile = 128};
  return std::make_unique<Transformer>(start, team, of);
}
std::unique_ptr<Net> gpt2_wide(const Start& start, Team& team) {
  const Sizes of{.layers = 2, .width = 768, .heads = 12, .length = 256, .batch = 2, .letters = 65, .tile = 256};
  return std::make_unique<Transformer>(start, team, of);
}

}  // namespace straight
