// Einstein's summation: each operand loses what is summed in it alone, then operands are multiplied from the left to
// the right, two at a time, as a batch of matrix products where something is summed, or element by element.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

namespace oxbow {
namespace {

using Label = int;  // a letter, or beyond them an axis of the ellipsis, counted from its end
using Labels = std::vector<Label>;
constexpr Label ellipsis = 256;

struct Term {
  Value x;
  Labels labels;  // one an axis
};

bool has(const Labels& all, Label l) { return std::find(all.begin(), all.end(), l) != all.end(); }

int axis_of(const Term& t, Label l) {
  return static_cast<int>(std::find(t.labels.begin(), t.labels.end(), l) - t.labels.begin());
}

Labels joined(std::initializer_list<Labels> parts) {
  Labels all;
  for (const Labels& p : parts) all.insert(all.end(), p.begin(), p.end());
  return all;
}

struct Equation {
  std::vector<Labels> inputs;
  Labels output;
};

using Fail = std::function<void(const std::string&, const std::string&)>;

// The labels of an operand of `rank` axes, or, where rank is negative, of the output, whose ellipsis has `dots` axes.
Labels labels_of(std::string_view text, int rank, int dots, const std::string& whose, const Fail& fail) {
  const auto at = text.find("...");
  const bool open = at != std::string_view::npos;
  const auto letters = static_cast<int>(text.size()) - (open ? 3 : 0);
  if (rank >= 0) {
    if (open ? letters > rank : letters != rank)
      fail(whose + " has " + std::to_string(rank) + " axes, but its subscripts are " + internal::in_quotes(text),
           "Give a letter for each axis, or \"...\" for those that have none");
    dots = rank - letters;
  }
  Labels all;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (open && i == at) {
      for (int k = dots; k > 0; --k) all.push_back(ellipsis + k);
      i += 2;
      continue;
    }
    const char c = text[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
      fail("the subscripts have a \"" + std::string(1, c) + "\"", "Write letters, \"...\", commas and one \"->\"");
    all.push_back(c);
  }
  return all;
}

Equation parse(std::string_view text, Values x, const Fail& fail) {
  std::string all;
  std::copy_if(text.begin(), text.end(), std::back_inserter(all), [](char c) { return c != ' '; });
  const auto arrow = all.find("->");
  std::vector<std::string> operands(1);
  for (const char c : all.substr(0, arrow))
    if (c == ',')
      operands.emplace_back();
    else
      operands.back() += c;
  if (static_cast<int>(operands.size()) != x.size())
    fail("the subscripts are of " + std::to_string(operands.size()) + " operands, but " + std::to_string(x.size()) +
             " are given",
         "Put commas between the subscripts of operands");
  Equation e;
  int dots = 0;
  std::map<Label, int> times;
  for (int i = 0; i < x.size(); ++i) {
    e.inputs.push_back(
        labels_of(operands[static_cast<std::size_t>(i)], x[i].rank(), 0, "operand " + std::to_string(i), fail));
    for (const Label l : e.inputs.back()) {
      ++times[l];
      dots = std::max(dots, l - ellipsis);
    }
  }
  if (arrow != std::string::npos) {
    e.output = labels_of(std::string_view(all).substr(arrow + 2), -1, dots, "the result", fail);
    for (const Label l : e.output)
      if (!times.contains(l) || std::count(e.output.begin(), e.output.end(), l) > 1)
        fail("the result has the subscript \"" + std::string(1, static_cast<char>(l)) +
                 (times.contains(l) ? "\" twice" : "\", which no operand has"),
             "Name each axis of the result once, and of those that operands have");
    return e;
  }
  for (int k = dots; k > 0; --k) e.output.push_back(ellipsis + k);
  for (const auto& [l, n] : times)
    if (l < ellipsis && n == 1) e.output.push_back(l);
  return e;
}

// The size of an axis, i64[1], which is known at each size of a free axis.
Value size(const Value& x, int axis, At at) { return slice(shape_of(x, at), 0, axis, axis + 1, at); }

Value one(const Value& x, At at) { return constant(x.graph(), Tensor::of<std::int64_t>({1}, {1}), at); }

// Labels in another order.
Term ordered(const Term& t, const Labels& labels, At at) {
  if (labels == t.labels) return t;
  std::vector<std::int64_t> order;
  for (const Label l : labels) order.push_back(axis_of(t, l));
  return {transpose(t.x, order, at), labels};
}

// The axes of each group made one, of size 1 where there are none; x has the groups' axes in their order.
Value grouped(const Value& x, const std::vector<std::size_t>& groups, At at) {
  std::vector<std::int64_t> sizes;
  std::size_t axis = 0, open = 0;
  for (const std::size_t count : groups) {
    const bool stays = count == 1 && axis == sizes.size();
    open += count > 0 && !stays;
    sizes.push_back(count == 0 ? 1 : stays ? 0 : -1);
    axis += count;
  }
  if (open == 0 && groups.size() == axis) return x;
  if (open <= 1 && x.type().count() > 0) return reshape(x, sizes, at);  // of nothing, -1 may be anything
  std::vector<Value> parts;
  axis = 0;
  for (const std::size_t count : groups) {
    Value part = one(x, at);
    for (std::size_t i = 0; i < count; ++i, ++axis) {
      const Value here = size(x, static_cast<int>(axis), at);
      part = i == 0 ? here : multiply(part, here, at);
    }
    parts.push_back(part);
  }
  return reshape(x, concat(parts, 0, at), at);
}

// Of two axes of one label, the elements where both are at the same place; the label becomes the last one.
Term on_diagonal(const Term& t, int first, int second, At at) {
  Term y{{}, {}};
  std::vector<std::int64_t> order;
  for (int i = 0; i < t.x.rank(); ++i)
    if (i != first && i != second) {
      order.push_back(i);
      y.labels.push_back(t.labels[static_cast<std::size_t>(i)]);
    }
  order.insert(order.end(), {first, second});
  y.labels.push_back(t.labels[static_cast<std::size_t>(first)]);
  Graph& g = t.x.graph();
  const Value length = reshape(size(t.x, first, at), {}, at);
  const Value places = arange(constant(g, 0, i64, at), length, constant(g, 1, i64, at), at);
  const Value column = reshape(places, {-1, 1}, at), x = transpose(t.x, order, at);
  y.x = sum(where(oxbow::equal(column, places, at), x, 0, at), -1, false, at);
  return y;
}

// Without the labels that nothing else has.
Term summed(const Term& t, const std::function<bool(Label)>& stays, At at) {
  std::vector<std::int64_t> axes;
  Labels left;
  for (std::size_t i = 0; i < t.labels.size(); ++i)
    if (stays(t.labels[i]))
      left.push_back(t.labels[i]);
    else
      axes.push_back(static_cast<std::int64_t>(i));
  return axes.empty() ? t : Term{sum(t.x, axes, false, at), left};
}

Term product(const Term& a, const Term& b, const std::function<bool(Label)>& stays, At at) {
  Labels batch, inner, left, right;
  for (const Label l : a.labels) (has(b.labels, l) ? stays(l) ? batch : inner : left).push_back(l);
  for (const Label l : b.labels)
    if (!has(a.labels, l)) right.push_back(l);
  if (inner.empty() || (left.empty() && right.empty())) {  // element by element
    const Labels both = joined({batch, inner});
    const Value x = ordered(a, joined({both, left}), at).x, y = ordered(b, joined({both, right}), at).x;
    std::vector<std::size_t> of_x(both.size() + left.size(), 1), of_y(both.size(), 1);
    of_x.resize(of_x.size() + right.size(), 0);
    of_y.resize(of_y.size() + left.size(), 0);
    of_y.resize(of_y.size() + right.size(), 1);
    const Value x_spread = grouped(x, of_x, at);
    const Term all{multiply(x_spread, grouped(y, of_y, at), at), joined({both, left, right})};
    return summed(all, stays, at);
  }
  const bool a_turned = a.labels == joined({batch, inner, left}), b_turned = b.labels == joined({batch, right, inner});
  const Value x = ordered(a, a_turned ? a.labels : joined({batch, left, inner}), at).x;
  const Value y = ordered(b, b_turned ? b.labels : joined({batch, inner, right}), at).x;
  const auto matrices = [&](std::size_t rows, std::size_t columns) {
    std::vector<std::size_t> groups(batch.size(), 1);
    groups.insert(groups.end(), {rows, columns});
    return groups;
  };
  const Value rows =
      grouped(x, a_turned ? matrices(inner.size(), left.size()) : matrices(left.size(), inner.size()), at);
  const Value columns =
      grouped(y, b_turned ? matrices(right.size(), inner.size()) : matrices(inner.size(), right.size()), at);
  const Value z = matmul(rows, columns, {.transpose_a = a_turned, .transpose_b = b_turned}, at);
  Term all{z, joined({batch, left, right})};
  if (left.size() == 1 && right.size() == 1) return all;
  std::vector<Value> sizes{};
  for (const Label l : all.labels) {
    const Term& from = has(a.labels, l) ? a : b;
    sizes.push_back(size(from.x, axis_of(from, l), at));
  }
  all.x = sizes.empty() ? reshape(z, {}, at) : reshape(z, concat(sizes, 0, at), at);
  return all;
}

}  // namespace

Value einsum(std::string_view equation, Values x, At at) {
  const Fail fail = [&](const std::string& problem, const std::string& remedy) {
    throw BuildError("einsum", problem + "\n  equation: " + internal::shown(equation, internal::limits::shown_name) +
                                   at_line(at) + "\n  " + remedy);
  };
  for (const Value& v : x)
    if (!v) fail("an operand is an empty Value", "Give a value for each");
  const Equation e = parse(equation, x, fail);
  std::map<Label, std::int64_t> sizes;
  for (int i = 0; i < x.size(); ++i)
    for (int axis = 0; axis < x[i].rank(); ++axis) {
      std::int64_t& all =
          sizes.emplace(e.inputs[static_cast<std::size_t>(i)][static_cast<std::size_t>(axis)], 1).first->second;
      const std::int64_t here = x[i].shape()[axis];
      if (all != 1 && here != 1 && all != here)
        fail("axis " + std::to_string(axis) + " of operand " + std::to_string(i) + ", " + to_string(x[i].type()) +
                 ", has the size " + std::to_string(here) + " where another has " + std::to_string(all),
             "Axes of one subscript must have one size, or 1");
      if (here != 1) all = here;
    }
  return as_called("einsum", [&] {
    std::vector<Term> terms;
    for (int i = 0; i < x.size(); ++i) {
      Term t{x[i], e.inputs[static_cast<std::size_t>(i)]};
      std::vector<std::int64_t> alone;  // of size 1, where another operand is longer: it broadcasts
      Labels left;
      for (int axis = 0; axis < t.x.rank(); ++axis) {
        const Label l = t.labels[static_cast<std::size_t>(axis)];
        if (t.x.shape()[axis] == 1 && sizes[l] != 1)
          alone.push_back(axis);
        else
          left.push_back(l);
      }
      if (!alone.empty()) t = {squeeze(t.x, alone, at), left};
      for (std::size_t k = 0; k < t.labels.size(); ++k)
        for (std::size_t j = k + 1; j < t.labels.size(); ++j)
          if (t.labels[j] == t.labels[k]) {
            t = on_diagonal(t, static_cast<int>(k), static_cast<int>(j), at);
            j = t.labels.size();
            k = static_cast<std::size_t>(-1);  // from the start, as axes have moved
          }
      terms.push_back(std::move(t));
    }
    const auto needed_after = [&](std::size_t next, const Labels& also) {
      return [&, next, also](Label l) {
        return has(e.output, l) || has(also, l) ||
               std::any_of(terms.begin() + static_cast<std::ptrdiff_t>(next), terms.end(),
                           [&](const Term& t) { return has(t.labels, l); });
      };
    };
    Term y = summed(terms[0], needed_after(1, {}), at);
    for (std::size_t i = 1; i < terms.size(); ++i) {
      const Term b = summed(terms[i], needed_after(i + 1, y.labels), at);
      y = product(y, b, needed_after(i + 1, {}), at);
    }
    return ordered(y, e.output, at).x;
  });
}

Value outer(Value a, Value b, At at) {
  return as_called("outer", [&] {
    const Value column = reshape(a, {-1, 1}, at);
    return multiply(column, reshape(b, {1, -1}, at), at);
  });
}

}  // namespace oxbow
