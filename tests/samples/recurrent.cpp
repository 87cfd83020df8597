// Recurrences in plain loops: a row of the batch at a time.
#include <oxbow/ops/recurrent/gru.h>
#include <oxbow/ops/recurrent/lstm.h>
#include <oxbow/ops/recurrent/simple_rnn.h>

#include <cmath>

#include "samples/families.h"

namespace oxbow::test {
namespace {

using namespace ops;

double opened(double x) { return 1 / (1 + std::exp(-x)); }

// Elements of a tensor by place, row and column.
struct Cube {
  const double* data;
  std::int64_t rows, columns;
  double operator()(std::int64_t t, std::int64_t i, std::int64_t j) const { return data[(t * rows + i) * columns + j]; }
};
Cube cube(const Tensor& x) {
  const Shape& s = x.shape();
  return {x.data<double>(), s[-2], s[-1]};
}

bool has_step(const std::vector<Tensor>& in, std::size_t lengths, std::int64_t row, std::int64_t t) {
  return in.size() <= lengths || t < in[lengths].data<std::int64_t>()[row];
}

// Rows of a table by their numbers, of which negative ones count from its end.
Tensor rows_of(const Tensor& table, const Tensor& numbers) {
  const std::int64_t wide = table.shape()[1];
  Tensor out(Type{f64, numbers.shape().inserted(2, wide)});
  for (std::int64_t i = 0; i < numbers.count(); ++i) {
    const std::int64_t number = numbers.data<std::int64_t>()[i], row = number < 0 ? number + table.shape()[0] : number;
    std::copy_n(table.data<double>() + row * wide, wide, out.data<double>() + i * wide);
  }
  return out;
}

std::vector<Tensor> plain_lstm(bool reverse, const std::vector<Tensor>& in) {
  if (in.size() > 5) return plain_lstm(reverse, {rows_of(in[0], in[5]), in[1], in[2], in[3], in[4]});
  const std::int64_t time = in[0].shape()[0], batch = in[0].shape()[1], u = in[0].shape()[2] / 4;
  const Cube x = cube(in[0]), w = cube(in[1]);
  std::vector<Tensor> out;
  for (const Shape& s :
       {Shape{time, batch, u}, Shape{batch, u}, Shape{batch, u}, Shape{time, batch, u}, Shape{time, batch, 4 * u}})
    out.emplace_back(Type{f64, s});
  for (std::int64_t i = 0; i < batch; ++i) {
    std::vector<double> h, c;
    for (std::int64_t j = 0; j < u; ++j) {
      h.push_back(cube(in[2])(0, i, j));
      c.push_back(cube(in[3])(0, i, j));
    }
    for (std::int64_t k = 0; k < time; ++k) {
      const std::int64_t t = reverse ? time - 1 - k : k, at = (t * batch + i) * u;
      const std::vector<double> before = h;
      for (std::int64_t j = 0; j < u; ++j) {
        const auto place = static_cast<std::size_t>(j);
        if (has_step(in, 4, i, t)) {
          double z[4];
          for (std::int64_t gate = 0; gate < 4; ++gate) {
            z[gate] = x(t, i, gate * u + j);
            for (std::int64_t m = 0; m < u; ++m) z[gate] += before[static_cast<std::size_t>(m)] * w(0, m, gate * u + j);
            z[gate] = gate == 2 ? std::tanh(z[gate]) : opened(z[gate]);
            out[4].data<double>()[at * 4 + gate * u + j] = z[gate];
          }
          c[place] = z[1] * c[place] + z[0] * z[2];
          h[place] = z[3] * std::tanh(c[place]);
        }
        out[0].data<double>()[at + j] = h[place];
        out[3].data<double>()[at + j] = c[place];
      }
    }
    std::copy(h.begin(), h.end(), out[1].data<double>() + i * u);
    std::copy(c.begin(), c.end(), out[2].data<double>() + i * u);
  }
  return out;
}

std::vector<Tensor> plain_lstm_gradient(bool reverse, const std::vector<Tensor>& in) {
  const std::int64_t time = in[0].shape()[0], batch = in[0].shape()[1], u = in[0].shape()[2] / 4;
  const Cube gates = cube(in[0]), cells = cube(in[1]), first = cube(in[2]), back = cube(in[3]);
  const auto given = [&](std::size_t n, std::int64_t t, std::int64_t i, std::int64_t j) {
    return n < in.size() ? cube(in[n])(t, i, j) : 0;
  };
  std::vector<Tensor> out{Tensor(in[0].type()), Tensor(in[2].type()), Tensor(in[2].type())};
  for (std::int64_t i = 0; i < batch; ++i) {
    std::vector<double> dh, dc;
    for (std::int64_t j = 0; j < u; ++j) {
      dh.push_back(given(5, 0, i, j));
      dc.push_back(given(6, 0, i, j));
    }
    for (std::int64_t k = time - 1; k >= 0; --k) {
      const std::int64_t t = reverse ? time - 1 - k : k;
      double* dx = out[0].data<double>() + (t * batch + i) * 4 * u;
      for (std::int64_t j = 0; j < u; ++j) {
        const auto place = static_cast<std::size_t>(j);
        dh[place] += given(4, t, i, j);
        dc[place] += given(7, t, i, j);
        if (!has_step(in, 9, i, t)) continue;
        const double open = std::tanh(cells(t, i, j)),
                     before = k == 0 ? first(0, i, j) : cells(reverse ? t + 1 : t - 1, i, j);
        double g[4];
        for (std::int64_t gate = 0; gate < 4; ++gate) g[gate] = gates(t, i, gate * u + j);
        dc[place] += dh[place] * g[3] * (1 - open * open);
        const double to[]{dc[place] * g[2], dc[place] * before, dc[place] * g[0], dh[place] * open};
        for (std::int64_t gate = 0; gate < 4; ++gate)
          dx[gate * u + j] =
              (to[gate] + given(8, t, i, gate * u + j)) * (gate == 2 ? 1 - g[gate] * g[gate] : g[gate] * (1 - g[gate]));
        dc[place] *= g[1];
      }
      if (!has_step(in, 9, i, t)) continue;
      for (std::int64_t j = 0; j < u; ++j) {
        double& to = dh[static_cast<std::size_t>(j)] = 0;
        for (std::int64_t m = 0; m < 4 * u; ++m) to += dx[m] * back(0, m, j);
      }
    }
    std::copy(dh.begin(), dh.end(), out[1].data<double>() + i * u);
    std::copy(dc.begin(), dc.end(), out[2].data<double>() + i * u);
  }
  return out;
}

// A row times column `column` of a matrix, from row `from` of it on.
double dot(const std::vector<double>& row, const Cube& matrix, std::int64_t column, std::int64_t from = 0) {
  double sum = 0;
  for (std::size_t m = 0; m < row.size(); ++m) sum += row[m] * matrix(0, from + static_cast<std::int64_t>(m), column);
  return sum;
}

// Row i of [.., batch, n], at step t.
std::vector<double> row_of(const Tensor& x, std::int64_t t, std::int64_t i) {
  std::vector<double> row;
  for (std::int64_t j = 0; j < x.shape()[-1]; ++j) row.push_back(cube(x)(t, i, j));
  return row;
}
void put(const std::vector<double>& row, Tensor& x, std::int64_t t, std::int64_t i) {
  const std::int64_t batch = x.shape()[-2], n = x.shape()[-1];
  std::copy(row.begin(), row.end(), x.data<double>() + (t * batch + i) * n);
}

std::vector<Tensor> plain_gru(const Gru& op, const std::vector<Tensor>& in) {
  const std::int64_t time = in[0].shape()[0], batch = in[0].shape()[1], u = in[0].shape()[2] / 3;
  const Cube w = cube(in[1]);
  const auto bias = [&](std::int64_t j) { return in.size() > 3 && in[3].count() > 0 ? in[3].data<double>()[j] : 0; };
  std::vector<Tensor> out;
  for (const Shape& s : {Shape{time, batch, u}, Shape{batch, u}, Shape{time, batch, 3 * u}, Shape{time, batch, u}})
    out.emplace_back(Type{f64, s});
  for (std::int64_t i = 0; i < batch; ++i) {
    std::vector<double> h = row_of(in[2], 0, i);
    for (std::int64_t k = 0; k < time; ++k) {
      const std::int64_t t = op.reverse ? time - 1 - k : k;
      if (has_step(in, 4, i, t)) {
        const std::vector<double> x = row_of(in[0], t, i), before = h;
        std::vector<double> gates(x.size()), reset(h.size()), inner(h.size());
        for (std::size_t j = 0; j < h.size(); ++j) {
          const auto place = static_cast<std::int64_t>(j);
          for (std::int64_t g = 0; g < 2; ++g) {
            const auto at = static_cast<std::size_t>(g * u) + j;
            gates[at] = opened(x[at] + dot(before, w, g * u + place) + bias(g * u + place));
          }
          reset[j] = gates[h.size() + j] * before[j];
        }
        for (std::size_t j = 0; j < h.size(); ++j) {
          const std::int64_t column = 2 * u + static_cast<std::int64_t>(j);
          const double p = dot(op.reset_after ? before : reset, w, column) + bias(column);
          const double n = std::tanh(x[2 * h.size() + j] + (op.reset_after ? gates[h.size() + j] * p : p));
          gates[2 * h.size() + j] = n;
          inner[j] = op.reset_after ? p : reset[j];
          h[j] = gates[j] * before[j] + (1 - gates[j]) * n;
        }
        put(gates, out[2], t, i);
        put(inner, out[3], t, i);
      }
      put(h, out[0], t, i);
    }
    put(h, out[1], 0, i);
  }
  return out;
}

std::vector<Tensor> plain_gru_gradient(const GruGradient& op, const std::vector<Tensor>& in) {
  const std::int64_t time = in[0].shape()[0], batch = in[0].shape()[1], u = in[0].shape()[2] / 3;
  const Cube back = cube(in[4]);
  const auto n = static_cast<std::size_t>(u);
  const auto given = [&](std::size_t which, std::int64_t t, std::int64_t i, std::size_t j) {
    return which < in.size() ? cube(in[which])(t, i, static_cast<std::int64_t>(j)) : 0;
  };
  std::vector<Tensor> out{Tensor(in[0].type()), Tensor(in[0].type()), Tensor(in[3].type())};
  for (std::int64_t i = 0; i < batch; ++i) {
    std::vector<double> dh(n);
    for (std::size_t j = 0; j < n; ++j) dh[j] = given(6, 0, i, j);
    for (std::int64_t k = time - 1; k >= 0; --k) {
      const std::int64_t t = op.reverse ? time - 1 - k : k;
      for (std::size_t j = 0; j < n; ++j) dh[j] += given(5, t, i, j);
      if (!has_step(in, 9, i, t)) continue;
      const std::vector<double> gates = row_of(in[0], t, i), inner = row_of(in[1], t, i),
                                before = k == 0 ? row_of(in[3], 0, i) : row_of(in[2], op.reverse ? t + 1 : t - 1, i);
      std::vector<double> dx(3 * n), to_candidate(n), flow(n), to_products(3 * n);
      for (std::size_t j = 0; j < n; ++j) {
        const double z = gates[j], fresh = gates[2 * n + j];
        dx[j] = (dh[j] * (before[j] - fresh) + given(7, t, i, j)) * z * (1 - z);
        dx[2 * n + j] = to_candidate[j] = (dh[j] * (1 - z) + given(7, t, i, 2 * n + j)) * (1 - fresh * fresh);
        flow[j] = dh[j] * z;
      }
      for (std::size_t j = 0; j < n; ++j) {
        const double r = gates[n + j];
        const auto column = static_cast<std::int64_t>(j);
        const double to_inner =
            (op.reset_after ? to_candidate[j] * r : dot(to_candidate, back, column, 2 * u)) + given(8, t, i, j);
        const double to_r = op.reset_after ? to_candidate[j] * inner[j] : to_inner * before[j];
        dx[n + j] = (to_r + given(7, t, i, n + j)) * r * (1 - r);
        if (!op.reset_after) flow[j] += to_inner * r;
        to_products[2 * n + j] = op.reset_after ? to_inner : dx[2 * n + j];
      }
      std::copy_n(dx.begin(), 2 * n, to_products.begin());
      std::vector<double> by_weights = to_products;
      if (!op.reset_after) by_weights.resize(2 * n);
      for (std::size_t j = 0; j < n; ++j) dh[j] = flow[j] + dot(by_weights, back, static_cast<std::int64_t>(j));
      put(dx, out[0], t, i);
      put(to_products, out[1], t, i);
    }
    put(dh, out[2], 0, i);
  }
  return out;
}

std::vector<Tensor> plain_rnn(const SimpleRnn& op, const std::vector<Tensor>& in) {
  const std::int64_t time = in[0].shape()[0], batch = in[0].shape()[1];
  std::vector<Tensor> out{Tensor(in[0].type()), Tensor(in[2].type())};
  for (std::int64_t i = 0; i < batch; ++i) {
    std::vector<double> h = row_of(in[2], 0, i);
    for (std::int64_t k = 0; k < time; ++k) {
      const std::int64_t t = op.reverse ? time - 1 - k : k;
      if (has_step(in, 3, i, t)) {
        std::vector<double> next = row_of(in[0], t, i);
        for (std::size_t j = 0; j < h.size(); ++j) {
          next[j] += dot(h, cube(in[1]), static_cast<std::int64_t>(j));
          next[j] = op.relu ? std::max(next[j], 0.0) : std::tanh(next[j]);
        }
        h = next;
      }
      put(h, out[0], t, i);
    }
    put(h, out[1], 0, i);
  }
  return out;
}

std::vector<Tensor> plain_rnn_gradient(const SimpleRnnGradient& op, const std::vector<Tensor>& in) {
  const std::int64_t time = in[0].shape()[0], batch = in[0].shape()[1];
  std::vector<Tensor> out{Tensor(in[0].type()), Tensor({f64, {batch, in[0].shape()[2]}})};
  for (std::int64_t i = 0; i < batch; ++i) {
    std::vector<double> dh = in.size() > 3 ? row_of(in[3], 0, i) : row_of(out[1], 0, i);
    for (std::int64_t k = time - 1; k >= 0; --k) {
      const std::int64_t t = op.reverse ? time - 1 - k : k;
      const std::vector<double> h = row_of(in[0], t, i), flows = row_of(in[2], t, i);
      std::vector<double> dx(h.size());
      for (std::size_t j = 0; j < h.size(); ++j) {
        dh[j] += flows[j];
        dx[j] = op.relu ? (h[j] > 0 ? dh[j] : 0) : dh[j] * (1 - h[j] * h[j]);
      }
      if (!has_step(in, 4, i, t)) continue;
      for (std::size_t j = 0; j < h.size(); ++j) dh[j] = dot(dx, cube(in[1]), static_cast<std::int64_t>(j));
      put(dx, out[0], t, i);
    }
    put(dh, out[1], 0, i);
  }
  return out;
}

struct Asked {
  const char* what;
  std::int64_t time, batch, units;
  bool reverse = false;
  std::vector<std::int64_t> lengths = {};
};

const std::vector<Asked>& asked() {
  static const std::vector<Asked> all{
      {"a few steps", 3, 2, 2},
      {"reversed", 2, 2, 2, true},
      {"one of each", 1, 1, 1},
      {"lengths", 3, 4, 2, false, {3, 0, 2, 9}},
      {"lengths, reversed", 2, 3, 1, true, {1, 9, -2}},
      {"no batch", 2, 0, 2},
      {"no units", 2, 2, 0},
  };
  return all;
}

Tensor lengths_of(const Asked& a) { return Tensor::of<std::int64_t>({a.batch}, a.lengths); }

std::vector<Sample> lstm_samples() {
  std::vector<Sample> samples;
  for (const Asked& a : asked()) {
    const std::int64_t u = a.units;
    std::vector<Tensor> in{draw({a.time, a.batch, 4 * u}, -1, 1, 1), draw({u, 4 * u}, -1, 1, 2),
                           draw({a.batch, u}, -1, 1, 3), draw({a.batch, u}, -1, 1, 4)};
    if (!a.lengths.empty()) in.push_back(lengths_of(a));
    samples.push_back({a.what, Lstm{a.reverse}, in,
                       [reverse = a.reverse](const std::vector<Tensor>& t) { return plain_lstm(reverse, t); }});
  }
  samples.push_back({"rows of a table",
                     Lstm{},
                     {draw({3, 8}, -1, 1, 1), draw({2, 8}, -1, 1, 2), draw({2, 2}, -1, 1, 3), draw({2, 2}, -1, 1, 4),
                      Tensor::of<std::int64_t>({2}, {2, 1}), Tensor::of<std::int64_t>({2, 2}, {2, 0, -1, 0})},
                     [](const std::vector<Tensor>& t) { return plain_lstm(false, t); }});
  return samples;
}

std::vector<Sample> lstm_gradient_samples() {
  std::vector<Sample> samples;
  for (const Asked& a : asked())
    for (const bool to_all : {false, true}) {
      if (!to_all && !a.lengths.empty()) continue;
      const std::int64_t u = a.units;
      const Shape states{a.time, a.batch, u}, wide{a.time, a.batch, 4 * u}, state{a.batch, u};
      std::vector<Tensor> in{draw(wide, 0.1, 0.9, 1), draw(states, -1, 1, 2), draw(state, -1, 1, 3),
                             draw({4 * u, u}, -1, 1, 4), draw(states, -1, 1, 5)};
      if (to_all)
        in.insert(in.end(),
                  {draw(state, -1, 1, 6), draw(state, -1, 1, 7), draw(states, -1, 1, 8), draw(wide, -1, 1, 9)});
      if (!a.lengths.empty()) in.push_back(lengths_of(a));
      samples.push_back(
          {to_all ? std::string(a.what) + ", to all" : a.what, LstmGradient{a.reverse}, in,
           [reverse = a.reverse](const std::vector<Tensor>& t) { return plain_lstm_gradient(reverse, t); },
           to_all && a.time * a.batch * a.units <= 8});  // a gradient of a gradient of it is built for each input
    }
  return samples;
}

std::vector<Sample> gru_samples() {
  std::vector<Sample> samples;
  for (const Asked& a : asked())
    for (const bool after : {true, false}) {
      const std::int64_t u = a.units;
      std::vector<Tensor> in{draw({a.time, a.batch, 3 * u}, -1, 1, 1), draw({u, 3 * u}, -1, 1, 2),
                             draw({a.batch, u}, -1, 1, 3)};
      if (a.reverse || !a.lengths.empty()) in.push_back(draw({3 * u}, -1, 1, 4));
      if (!a.lengths.empty()) in.push_back(lengths_of(a));
      const Gru op{after, a.reverse};
      samples.push_back({std::string(a.what) + (after ? "" : ", reset before"), op, in,
                         [op](const std::vector<Tensor>& t) { return plain_gru(op, t); }});
    }
  return samples;
}

std::vector<Sample> gru_gradient_samples() {
  std::vector<Sample> samples;
  for (const Asked& a : asked())
    for (const bool after : {true, false})
      for (const bool to_all : {false, true}) {
        if (!to_all && !a.lengths.empty()) continue;
        const std::int64_t u = a.units;
        const Shape states{a.time, a.batch, u}, wide{a.time, a.batch, 3 * u}, state{a.batch, u};
        std::vector<Tensor> in{draw(wide, 0.1, 0.9, 1), draw(states, -1, 1, 2),     draw(states, -1, 1, 3),
                               draw(state, -1, 1, 4),   draw({3 * u, u}, -1, 1, 5), draw(states, -1, 1, 6)};
        if (to_all) in.insert(in.end(), {draw(state, -1, 1, 7), draw(wide, -1, 1, 8), draw(states, -1, 1, 9)});
        if (!a.lengths.empty()) in.push_back(lengths_of(a));
        const GruGradient op{after, a.reverse};
        samples.push_back({std::string(a.what) + (after ? "" : ", reset before") + (to_all ? ", to all" : ""), op, in,
                           [op](const std::vector<Tensor>& t) { return plain_gru_gradient(op, t); },
                           to_all && a.time * a.batch * a.units <= 8});
      }
  return samples;
}

std::vector<Sample> rnn_samples() {
  std::vector<Sample> samples;
  for (const Asked& a : asked())
    for (const bool relu : {false, true}) {
      const std::int64_t u = a.units;
      std::vector<Tensor> in{draw({a.time, a.batch, u}, -1, 1, 1), draw({u, u}, -1, 1, 2),
                             draw({a.batch, u}, -1, 1, 3)};
      if (!a.lengths.empty()) in.push_back(lengths_of(a));
      const SimpleRnn op{relu, a.reverse};
      samples.push_back({std::string(a.what) + (relu ? ", relu" : ""), op, in,
                         [op](const std::vector<Tensor>& t) { return plain_rnn(op, t); }});
    }
  return samples;
}

std::vector<Sample> rnn_gradient_samples() {
  std::vector<Sample> samples;
  for (const Asked& a : asked())
    for (const bool relu : {false, true}) {
      const std::int64_t u = a.units;
      const Shape states{a.time, a.batch, u}, state{a.batch, u};
      std::vector<Tensor> in{draw(states, -1, 1, 1), draw({u, u}, -1, 1, 2), draw(states, -1, 1, 3),
                             draw(state, -1, 1, 4)};
      if (!a.lengths.empty()) in.push_back(lengths_of(a));
      const SimpleRnnGradient op{relu, a.reverse};
      samples.push_back({std::string(a.what) + (relu ? ", relu" : ""), op, in,
                         [op](const std::vector<Tensor>& t) { return plain_rnn_gradient(op, t); },
                         a.time * a.batch * a.units <= 8});
    }
  return samples;
}

}  // namespace

void add_recurrent(Samples& s) {
  s.add<Lstm>(lstm_samples());
  s.add<LstmGradient>(lstm_gradient_samples());
  s.add<Gru>(gru_samples());
  s.add<GruGradient>(gru_gradient_samples());
  s.add<SimpleRnn>(rnn_samples());
  s.add<SimpleRnnGradient>(rnn_gradient_samples());
}

}  // namespace oxbow::test
