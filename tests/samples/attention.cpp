// Samples of attention: the definition, query by query, with all scores at once.
#include <oxbow/graph/support/random.h>
#include <oxbow/ops/attention/attention.h>

#include <cmath>
#include <limits>

#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

// Where the elements of heads lie, and what is seen, by the words of ops/attention.h.
struct Heads {
  attention::Form form;
  Tensor q, k, v, mask;  // the mask has no elements where there is none

  std::int64_t t = q.shape()[-2], s = k.shape()[-2];
  std::int64_t across = std::max<std::int64_t>(form.heads, 1);
  std::int64_t kv_across = form.kv_heads > 0 ? form.kv_heads : across;
  std::int64_t d = q.shape()[-1] / across, e = v.shape()[-1] / kv_across;
  std::int64_t heads = q.shape().count(0, q.shape().rank() - 2) * across;
  std::int64_t kv_heads = k.shape().count(0, k.shape().rank() - 2) * kv_across;
  bool has_mask = false;

  // Element c of place i of a head, in an array of so many features a head.
  static std::int64_t at(std::int64_t head, std::int64_t side, std::int64_t places, std::int64_t each, std::int64_t i,
                         std::int64_t c) {
    return ((head / side * places + i) * side + head % side) * each + c;
  }
  std::int64_t kv(std::int64_t head) const { return head / (heads / kv_heads); }
  std::int64_t q_at(std::int64_t head, std::int64_t i, std::int64_t c) const { return at(head, across, t, d, i, c); }
  std::int64_t y_at(std::int64_t head, std::int64_t i, std::int64_t c) const { return at(head, across, t, e, i, c); }
  std::int64_t k_at(std::int64_t head, std::int64_t j, std::int64_t c) const {
    return at(kv(head), kv_across, s, d, j, c);
  }
  std::int64_t v_at(std::int64_t head, std::int64_t j, std::int64_t c) const {
    return at(kv(head), kv_across, s, e, j, c);
  }

  double score(std::int64_t head, std::int64_t i, std::int64_t j) const {
    double sum = 0;
    for (std::int64_t c = 0; c < d; ++c) sum += q.data<double>()[q_at(head, i, c)] * k.data<double>()[k_at(head, j, c)];
    return sum * form.scale;
  }

  bool sees(std::int64_t head, std::int64_t i, std::int64_t j) const {
    if (form.causal && j > i + s - t) return false;
    if (!has_mask) return true;
    std::vector<std::int64_t> sizes = q.shape().vector();  // the scores'
    sizes.pop_back();
    if (form.heads > 0) sizes.insert(sizes.end() - 1, form.heads);
    sizes.push_back(s);
    std::int64_t flat = (head * t + i) * s + j, place = 0, stride = 1;
    for (int axis = static_cast<int>(sizes.size()) - 1, own = mask.shape().rank() - 1; own >= 0; --axis, --own) {
      const std::int64_t size = sizes[static_cast<std::size_t>(axis)];
      if (mask.shape()[own] != 1) place += flat % size * stride;
      stride *= mask.shape()[own];
      flat /= size;
    }
    return mask.data<bool>()[place];
  }
};

Heads heads_of(const attention::Form& form, const std::vector<Tensor>& in, std::size_t mask) {
  Heads h{.form = form, .q = in[0], .k = in[1], .v = in[2], .mask = {}};
  h.has_mask = in.size() > mask && in[mask].type();
  if (h.has_mask) h.mask = in[mask];
  return h;
}

// What dropout multiplies a weight by: 64 queries by 64 keys have numbers of their own, of which four keys have 64
// blocks.
double factor(const Heads& h, const Tensor& state, std::int64_t head, std::int64_t i, std::int64_t j) {
  if (h.form.dropout == 0) return 1;
  const std::int64_t tiles = (h.s + 63) / 64, number = (head * ((h.t + 63) / 64) + i / 64) * tiles + j / 64;
  const auto* key = state.data<std::int64_t>();
  const auto words = internal::random_block(static_cast<std::uint64_t>(key[0]), static_cast<std::uint32_t>(key[1]),
                                            static_cast<std::uint32_t>(h.form.stream),
                                            static_cast<std::uint64_t>((number * 16 + j % 64 / 4) * 64 + i % 64));
  const bool kept = words[static_cast<std::size_t>(j % 4)] >= static_cast<std::uint32_t>(h.form.dropout * 0x1p32);
  return kept ? 1 / (1 - h.form.dropout) : 0;
}

std::vector<Tensor> plain_attention(const attention::Form& form, const std::vector<Tensor>& in) {
  const Heads h = heads_of(form, in, 3);
  Shape y = h.q.shape().with(h.q.shape().rank() - 1, h.across * h.e), sums = h.q.shape().without(-1);
  if (form.heads > 0) sums = sums.inserted(sums.rank() - 1, form.heads);
  std::vector<Tensor> out{Tensor({f64, y}), Tensor({f64, sums})};
  for (std::int64_t head = 0; head < h.heads; ++head)
    for (std::int64_t i = 0; i < h.t; ++i) {
      double total = 0;
      for (std::int64_t j = 0; j < h.s; ++j)
        if (h.sees(head, i, j)) total += std::exp(h.score(head, i, j));
      out[1].data<double>()[head * h.t + i] = std::log(total);
      for (std::int64_t j = 0; j < h.s; ++j) {
        const double weight = total == 0 ? 1.0 / static_cast<double>(h.s)
                              : !h.sees(head, i, j)
                                  ? 0
                                  : std::exp(h.score(head, i, j)) / total * factor(h, in.back(), head, i, j);
        for (std::int64_t c = 0; c < h.e; ++c)
          out[0].data<double>()[h.y_at(head, i, c)] += weight * h.v.data<double>()[h.v_at(head, j, c)];
      }
    }
  return out;
}

std::vector<Tensor> plain_gradient(const attention::Form& form, const std::vector<Tensor>& in) {
  const Heads h = heads_of(form, in, 6);
  std::vector<Tensor> out{Tensor(in[0].type()), Tensor(in[1].type()), Tensor(in[2].type())};
  const double *y = in[3].data<double>(), *lse = in[4].data<double>(), *dy = in[5].data<double>();
  for (std::int64_t head = 0; head < h.heads; ++head)
    for (std::int64_t i = 0; i < h.t; ++i)
      for (std::int64_t j = 0; j < h.s; ++j) {
        if (!h.sees(head, i, j)) continue;
        const double weight = std::exp(h.score(head, i, j) - lse[head * h.t + i]);
        const double kept = factor(h, in.back(), head, i, j);
        double slope = in.size() > 7 ? in[7].data<double>()[head * h.t + i] : 0;
        for (std::int64_t c = 0; c < h.e; ++c) {
          const std::int64_t at = h.y_at(head, i, c);
          slope += dy[at] * (h.v.data<double>()[h.v_at(head, j, c)] * kept - y[at]);
          out[2].data<double>()[h.v_at(head, j, c)] += weight * kept * dy[at];
        }
        slope *= weight * form.scale;
        for (std::int64_t c = 0; c < h.d; ++c) {
          const std::int64_t of_q = h.q_at(head, i, c), of_k = h.k_at(head, j, c);
          out[0].data<double>()[of_q] += slope * h.k.data<double>()[of_k];
          out[1].data<double>()[of_k] += slope * h.q.data<double>()[of_q];
        }
      }
  return out;
}

// One that leaves each query a key, so that all sums are finite.
Tensor drawn_mask(const Shape& shape) {
  Tensor mask({boolean, shape});
  for (std::int64_t i = 0; i < mask.count(); ++i) mask.data<bool>()[i] = i % shape[-1] == 0 || i * i % 7 % 3 != 1;
  return mask;
}

Tensor some_state() { return Tensor::of<std::int64_t>({2}, {12345678901234, 7}); }

struct Asked {
  const char* what;
  attention::Form form;
  Shape q, k, v;
  Shape mask = {};  // a scalar: none
  bool smooth = true;
};

const std::vector<Asked>& asked() {
  static const std::vector<Asked> all{
      {"matrices", {.scale = 0.5}, {3, 4}, {5, 4}, {5, 2}},
      {"one of each", {}, {1, 1}, {1, 1}, {1, 1}},
      {"leading axes", {.scale = 0.7}, {2, 2, 3, 2}, {2, 2, 4, 2}, {2, 2, 4, 3}},
      {"grouped heads as an axis", {.scale = 0.7}, {2, 4, 3, 2}, {2, 2, 4, 2}, {2, 2, 4, 1}},
      {"heads side by side", {.heads = 2, .scale = 0.6}, {2, 3, 4}, {2, 4, 4}, {2, 4, 6}},
      {"grouped heads side by side", {.heads = 4, .kv_heads = 2, .scale = 0.6}, {2, 3, 8}, {2, 4, 4}, {2, 4, 2}},
      {"one head of keys", {.heads = 3, .kv_heads = 1, .scale = 1.2}, {3, 6}, {4, 2}, {4, 2}},
      {"causal", {.causal = true}, {2, 4, 3}, {2, 4, 3}, {2, 4, 3}},
      {"causal, more keys", {.heads = 2, .causal = true}, {2, 4}, {5, 4}, {5, 2}},
      {"a mask of all", {.scale = 0.5}, {2, 3, 2}, {2, 4, 2}, {2, 4, 2}, {3, 4}},
      {"a mask a head", {.heads = 2}, {2, 3, 4}, {2, 4, 4}, {2, 4, 2}, {2, 2, 3, 4}},
      {"a mask of keys", {.heads = 2}, {2, 3, 4}, {2, 4, 4}, {2, 4, 2}, {2, 1, 1, 4}},
      {"a mask, causal, grouped",
       {.heads = 2, .kv_heads = 1, .causal = true},
       {2, 4, 4},
       {2, 4, 2},
       {2, 4, 1},
       {2, 1, 4, 4}},
      {"no queries", {}, {2, 0, 3}, {2, 2, 3}, {2, 2, 3}},
      {"no batch", {.heads = 2}, {0, 2, 4}, {0, 3, 4}, {0, 3, 2}},
      {"no features of keys", {}, {2, 3, 0}, {2, 4, 0}, {2, 4, 2}},
      {"no features of values", {}, {2, 3, 2}, {2, 4, 2}, {2, 4, 0}},
      {"several tiles", {.scale = 0.3}, {66, 2}, {130, 2}, {130, 1}, {}, false},
      {"several tiles, causal", {.causal = true, .scale = 0.3}, {66, 2}, {70, 2}, {70, 2}, {}, false},
      {"dropout", {.dropout = 0.4, .stream = 3}, {2, 5, 2}, {2, 6, 2}, {2, 6, 3}, {1, 1}, false},
      {"dropout, a mask, grouped",
       {.heads = 2, .kv_heads = 1, .causal = true, .dropout = 0.3, .stream = 1},
       {2, 4, 4},
       {2, 4, 2},
       {2, 4, 1},
       {2, 1, 4, 4},
       false},
      {"several tiles, dropout",
       {.causal = true, .scale = 0.3, .dropout = 0.5, .stream = 2},
       {66, 2},
       {70, 2},
       {70, 2},
       {1, 1},
       false},
      {"several tiles, a mask", {.heads = 2, .kv_heads = 1, .scale = 0.3}, {66, 4}, {67, 2}, {67, 1}, {66, 67}, false},
  };
  return all;
}

std::vector<Sample> attention_samples() {
  std::vector<Sample> samples;
  for (const Asked& a : asked()) {
    std::vector<Tensor> in{draw(a.q, -1, 1, 1), draw(a.k, -1, 1, 2), draw(a.v, -1, 1, 3)};
    if (a.mask.rank() > 0) in.push_back(drawn_mask(a.mask));
    if (a.form.dropout > 0) in.push_back(some_state());
    const attention::Form& f = a.form;
    samples.push_back({a.what, ScaledDotProductAttention{f.heads, f.kv_heads, f.causal, f.scale, f.dropout, f.stream},
                       in, [form = a.form](const std::vector<Tensor>& t) { return plain_attention(form, t); },
                       a.smooth});
  }
  return samples;
}

std::vector<Sample> gradient_samples() {
  std::vector<Sample> samples;
  for (const Asked& a : asked()) {
    std::vector<Tensor> in{draw(a.q, -1, 1, 1), draw(a.k, -1, 1, 2), draw(a.v, -1, 1, 3)};
    std::vector<Tensor> with_mask = in;
    const Tensor mask = a.mask.rank() > 0 ? drawn_mask(a.mask) : Tensor();
    if (a.mask.rank() > 0) with_mask.push_back(mask);
    if (a.form.dropout > 0) with_mask.push_back(some_state());
    const std::vector<Tensor> out = plain_attention(a.form, with_mask);
    in.insert(in.end(), {out[0], out[1], draw(out[0].shape(), -1, 1, 4)});
    if (a.mask.rank() > 0) in.insert(in.end(), {mask, draw(out[1].shape(), -1, 1, 5)});
    if (a.form.dropout > 0) in.push_back(some_state());
    const attention::Form& f = a.form;
    samples.push_back(
        {a.what, ScaledDotProductAttentionGradient{f.heads, f.kv_heads, f.causal, f.scale, f.dropout, f.stream}, in,
         [form = a.form](const std::vector<Tensor>& t) { return plain_gradient(form, t); }, a.smooth});
  }
  return samples;
}

}  // namespace

void add_attention(Samples& s) {
  s.add<ScaledDotProductAttention>(attention_samples());
  s.add<ScaledDotProductAttentionGradient>(gradient_samples());
}

}  // namespace oxbow::test
