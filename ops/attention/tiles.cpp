#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/random_blocks.h>
#include <oxbow/ops/attention/tiles.h>
#include <oxbow/ops/random/numbers.h>

#include <cstring>

namespace oxbow::ops::attention {
namespace {

Shape leading(const Shape& s) { return Shape(std::span(s.begin(), s.end() - 2)); }

std::string sizes(const char* name, const Type& t) { return std::string(name) + " is " + to_string(t); }

void check_matrix(const char* name, const Type& t) {
  check_dtype(dtypes::Floats{}, t, name);
  if (t.shape.rank() < 2) throw OpError(sizes(name, t) + ", without an axis of places", "Give [..., places, features]");
}

void check_heads(const char* name, const Type& t, std::int64_t heads) {
  if (t.shape[-1] % heads != 0 || (heads > 1 && t.shape[-1] == 0))
    throw OpError(
        std::to_string(heads) + " heads do not divide the " + std::to_string(t.shape[-1]) + " features of " + name,
        "The last axis has all features of the first head, then all of the next");
}

}  // namespace

Type scores_type(const Form& form, const Type& q, const Type& k, const Type& v, const Type& mask) {
  check_matrix("q", q);
  check_matrix("k", k);
  check_matrix("v", v);
  if (k.dtype != q.dtype || v.dtype != q.dtype)
    throw OpError("the dtypes differ: q, k and v are " + std::string(name(q.dtype)) + ", " +
                      std::string(name(k.dtype)) + " and " + std::string(name(v.dtype)),
                  "Cast them to one");
  if (form.heads < 0 || form.kv_heads < 0 || (form.kv_heads > 0 && form.heads == 0))
    throw OpError(
        "there are " + std::to_string(form.heads) + " heads, and " + std::to_string(form.kv_heads) + " of keys",
        "Give both, for heads side by side in the last axis, or neither, for heads as leading axes");
  const std::int64_t heads = std::max<std::int64_t>(form.heads, 1),
                     kv_heads = form.kv_heads > 0 ? form.kv_heads : heads;
  if (heads % kv_heads != 0)
    throw OpError(std::to_string(kv_heads) + " heads of keys do not divide " + std::to_string(heads) + " heads",
                  "Give a number of .kv_heads that does");
  check_heads("q", q, heads);
  check_heads("k", k, kv_heads);
  check_heads("v", v, kv_heads);
  if (q.shape[-1] / heads != k.shape[-1] / kv_heads)
    throw OpError("a query has " + std::to_string(q.shape[-1] / heads) + " features a head, and a key " +
                      std::to_string(k.shape[-1] / kv_heads),
                  "Their products are the scores: give both as many");
  const Shape of_q = leading(q.shape), of_k = leading(k.shape);
  if (k.shape[-2] != v.shape[-2] || leading(v.shape) != of_k)
    throw OpError(sizes("k", k) + " and " + sizes("v", v), "Give a value for each key, and the same leading axes");
  const int last = of_q.rank() - 1;
  const bool grouped = form.heads == 0 && last >= 0 && of_k.rank() == of_q.rank() && of_k[last] > 0 &&
                       of_q[last] % of_k[last] == 0 && of_q.without(last) == of_k.without(last);
  if (of_q != of_k && !grouped)
    throw OpError("the leading axes differ: " + sizes("q", q) + " and " + sizes("k", k),
                  form.heads > 0 ? "Give both the same"
                                 : "Give both the same; the last of them may have several heads of q for each of k");
  Shape scores = of_q;
  if (form.heads > 0) scores = scores.inserted(scores.rank(), form.heads);
  scores = scores.inserted(scores.rank(), q.shape[-2]);
  scores = scores.inserted(scores.rank(), k.shape[-2]);
  if (mask) {
    if (mask.dtype != boolean) throw OpError(sizes("mask", mask), "Give bool, true where a key may be seen");
    bool fits = mask.shape.rank() <= scores.rank();
    for (int axis = -1; fits && axis >= -mask.shape.rank(); --axis)
      fits = mask.shape[axis] == 1 || mask.shape[axis] == scores[axis];
    if (!fits)
      throw OpError(sizes("mask", mask) + ", which does not broadcast to the scores' shape " + to_string(scores),
                    "Its axes are [..., queries, keys]; an axis of 1 serves for all");
  }
  return {compute_type(q.dtype), scores};
}

void check_dropout(const Form& form, const Type& state) {
  if (!(form.dropout >= 0 && form.dropout < 1))
    throw OpError("the dropout " + internal::short_number(form.dropout) + " is not in [0, 1)",
                  "Give the fraction of weights to drop");
  if (form.dropout == 0) return;
  if (!state) throw OpError("there is no state to draw from", "Give random_state(graph)");
  check_state(state);
}

Geometry::Geometry(const Form& form, const Type& q, const Type& k, const Type& v, const Type& mask)
    : t(q.shape[-2]),
      s(k.shape[-2]),
      causal(form.causal),
      scale(form.scale),
      dropout(form.dropout),
      stream(form.stream) {
  const Shape scores = scores_type(form, q, k, v, mask).shape;
  across = std::max<std::int64_t>(form.heads, 1);
  kv_across = form.kv_heads > 0 ? form.kv_heads : across;
  heads = scores.count(0, scores.rank() - 2);
  const std::int64_t of_keys = k.shape.count(0, k.shape.rank() - 2) * kv_across;
  group = of_keys > 0 ? heads / of_keys : 1;
  d = q.shape[-1] / across;
  e = v.shape[-1] / kv_across;
  q_row = q.shape[-1];
  k_row = k.shape[-1];
  v_row = v.shape[-1];
  y_row = across * e;
  if (!mask) return;
  const auto own = [&](int axis) { return -axis <= mask.shape.rank() ? mask.shape[axis] : 1; };
  mask_column = own(-1) == 1 ? 0 : 1;
  mask_row = own(-2) == 1 ? 0 : own(-1);
  for (std::int64_t head = 0; head < heads; ++head) {
    std::int64_t rest = head, at = 0, stride = own(-1) * own(-2);
    for (int axis = -3; axis >= -scores.rank(); --axis) {
      at += own(axis) == 1 ? 0 : rest % scores[axis] * stride;
      stride *= own(axis);
      rest /= scores[axis];
    }
    mask_at.push_back(at);
  }
}

Seen Geometry::seen(const bool* mask, std::int64_t head, std::int64_t query, std::int64_t key) const {
  bool any = true, all = true;
  if (causal) {
    any = key < last_key(query);
    all = key + keys(key) <= query + 1 + s - t;
  }
  if (any && !mask_at.empty()) {
    any = false;
    const bool* first = mask + mask_index(head, query, key);
    const auto length = static_cast<std::size_t>(mask_column ? keys(key) : 1);
    for (std::int64_t i = 0; i < (mask_row ? queries(query) : 1); ++i) {
      any = any || std::memchr(first + i * mask_row, true, length);
      all = all && !std::memchr(first + i * mask_row, false, length);
    }
  }
  return !any ? Seen::nothing : all ? Seen::all : Seen::some;
}

template <class T>
void Geometry::hide(const bool* mask, std::int64_t head, std::int64_t query, std::int64_t key, T* scores,
                    std::int64_t width) const {
  if (causal)
    for (std::int64_t j = 0; j < keys(key); ++j)
      std::fill_n(scores + j * width, std::clamp<std::int64_t>(key + j - query - (s - t), 0, width), hidden<T>);
  if (mask_at.empty()) return;
  const bool* first = mask + mask_index(head, query, key);
  for (std::int64_t i = 0; i < queries(query); ++i)
    for (std::int64_t j = 0; j < keys(key); ++j)
      if (!first[i * mask_row + j * mask_column]) scores[j * width + i] = hidden<T>;
}

// Words are drawn for four keys of 64 queries at once, with numbers of their own for each four of each tile.
template <class T>
void Geometry::draw_factors(const std::int64_t* state, std::int64_t head, std::int64_t query, std::int64_t key,
                            T* factors, std::int64_t width) const {
  constexpr std::int64_t at_once = 4;
  const std::int64_t first = ((head * query_tiles() + query / tile) * key_tiles() + key / tile) * (tile / at_once);
  const T kept = static_cast<T>(1 / (1 - dropout));
  const auto least = static_cast<std::uint32_t>(dropout * 0x1p32);
  internal::RandomWords<tile> words;
  for (std::int64_t j = 0; j < keys(key); j += at_once) {
    internal::random_blocks<tile>(static_cast<std::uint64_t>(state[0]), static_cast<std::uint32_t>(state[1]),
                                  static_cast<std::uint32_t>(stream),
                                  static_cast<std::uint64_t>(first + j / at_once) * tile, words);
    for (std::int64_t row = 0; row < std::min(at_once, keys(key) - j); ++row) {
      const std::uint32_t* const word = words.data() + row * tile;
      T* const to = factors + (j + row) * width;
      independent(0, width, [=](std::int64_t i) { to[i] = word[i] >= least ? kept : T(0); });
    }
  }
}

template void Geometry::draw_factors<float>(const std::int64_t*, std::int64_t, std::int64_t, std::int64_t, float*,
                                            std::int64_t) const;
template void Geometry::draw_factors<double>(const std::int64_t*, std::int64_t, std::int64_t, std::int64_t, double*,
                                             std::int64_t) const;
template void Geometry::hide<float>(const bool*, std::int64_t, std::int64_t, std::int64_t, float*, std::int64_t) const;
template void Geometry::hide<double>(const bool*, std::int64_t, std::int64_t, std::int64_t, double*,
                                     std::int64_t) const;

}  // namespace oxbow::ops::attention
