// Products of vectors, Einstein's summation, determinants, and the losses that are made of other functions: each
// against loops over its definition.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <map>

#include "support/gradient_check.h"
#include "support/interpreter.h"
#include "support/says.h"

BOOST_AUTO_TEST_SUITE(test_linear)

using namespace oxbow;
using test::interpret;

namespace {

void check(const Tensor& got, const Tensor& want, const std::string& what, double bound = 1e-13) {
  BOOST_REQUIRE_MESSAGE(got.shape() == want.shape(),
                        what << ": " << to_string(got.type()) << ", not " << to_string(want.type()));
  for (std::int64_t i = 0; i < want.count(); ++i) {
    const double x = got.data<double>()[i], y = want.data<double>()[i];
    BOOST_TEST((x == y || std::abs(x - y) <= bound * std::max(1.0, std::abs(y)) || (std::isnan(x) && std::isnan(y))),
               what << "[" << i << "] is " << x << ", not " << y);
  }
}

// By the definition, for an equation of letters with an arrow.
Tensor summed(const std::string& equation, const std::vector<Tensor>& x) {
  const auto arrow = equation.find("->");
  std::vector<std::string> of(1);
  for (const char c : equation.substr(0, arrow)) c == ',' ? of.emplace_back() : of.back() += c;
  const std::string result = equation.substr(arrow + 2);
  std::map<char, std::int64_t> sizes;
  for (std::size_t k = 0; k < x.size(); ++k)
    for (std::size_t a = 0; a < of[k].size(); ++a)
      if (const std::int64_t n = x[k].shape()[static_cast<int>(a)]; !sizes.contains(of[k][a]) || n != 1)
        sizes[of[k][a]] = n;
  std::vector<std::int64_t> shape;
  for (const char c : result) shape.push_back(sizes[c]);
  Tensor y({f64, Shape(shape)});
  std::map<char, std::int64_t> at;
  const auto place = [&](const std::string& labels, const Shape& s) {
    std::int64_t flat = 0;
    for (std::size_t a = 0; a < labels.size(); ++a) {
      const std::int64_t n = s[static_cast<int>(a)];
      flat = flat * n + (n == 1 ? 0 : at[labels[a]]);
    }
    return flat;
  };
  const std::function<void(std::map<char, std::int64_t>::const_iterator)> over = [&](auto label) {
    if (label == sizes.end()) {
      double product = 1;
      for (std::size_t k = 0; k < x.size(); ++k) product *= x[k].data<double>()[place(of[k], x[k].shape())];
      y.data<double>()[place(result, y.shape())] += product;
      return;
    }
    for (std::int64_t i = 0; i < label->second; ++i) {
      at[label->first] = i;
      over(std::next(label));
    }
  };
  over(sizes.begin());
  return y;
}

struct Equation {
  std::string given, plain;
  std::vector<Shape> shapes;
};

const std::vector<Equation> equations = {
    {"ij,jk->ik", "ij,jk->ik", {{2, 3}, {3, 4}}},
    {"ij,jk", "ij,jk->ik", {{2, 3}, {3, 4}}},
    {"ij,kj->ik", "ij,kj->ik", {{2, 3}, {4, 3}}},
    {"ji,jk->ki", "ji,jk->ki", {{3, 2}, {3, 4}}},
    {"ij->ji", "ij->ji", {{2, 3}}},
    {"ba", "ba->ab", {{2, 3}}},
    {"ij->", "ij->", {{2, 3}}},
    {"ij->j", "ij->j", {{2, 3}}},
    {"ii", "ii->", {{3, 3}}},
    {"ii->i", "ii->i", {{3, 3}}},
    {"iij->ij", "iij->ij", {{3, 3, 2}}},
    {"iii->i", "iii->i", {{2, 2, 2}}},
    {"ijij->ij", "ijij->ij", {{2, 3, 2, 3}}},
    {"i,i", "i,i->", {{4}, {4}}},
    {"i,i->i", "i,i->i", {{4}, {4}}},
    {"i,j->ij", "i,j->ij", {{4}, {3}}},
    {"i,j->ji", "i,j->ji", {{4}, {3}}},
    {"ij,kl->iklj", "ij,kl->iklj", {{2, 3}, {4, 2}}},
    {"bij,bjk->bik", "bij,bjk->bik", {{2, 2, 3}, {2, 3, 4}}},
    {"bij,bjk->kbi", "bij,bjk->kbi", {{2, 2, 3}, {2, 3, 4}}},
    {"bhqd,bhkd->bhqk", "bhqd,bhkd->bhqk", {{2, 2, 3, 4}, {2, 2, 5, 4}}},
    {"bqhd,bkhd->bhqk", "bqhd,bkhd->bhqk", {{2, 3, 2, 4}, {2, 5, 2, 4}}},
    {"abcd,cdef->abef", "abcd,cdef->abef", {{2, 3, 2, 2}, {2, 2, 3, 2}}},
    {"abcd,dcf->abf", "abcd,dcf->abf", {{2, 3, 2, 4}, {4, 2, 3}}},
    {"bi,bi->b", "bi,bi->b", {{2, 3}, {2, 3}}},
    {"ij,j->i", "ij,j->i", {{2, 3}, {3}}},
    {"i,ij->j", "i,ij->j", {{2}, {2, 3}}},
    {"ij,k->", "ij,k->", {{2, 3}, {4}}},
    {"ij,j", "ij,j->i", {{2, 1}, {3}}},
    {"bn,anm,bm->ba", "bn,anm,bm->ba", {{2, 3}, {4, 3, 2}, {2, 2}}},
    {"ij,jk,kl->il", "ij,jk,kl->il", {{2, 3}, {3, 4}, {4, 2}}},
    {"...ij,...jk->...ik", "abij,abjk->abik", {{2, 3, 2, 3}, {2, 3, 3, 2}}},
    {"...ij,...jk", "abij,bjk->abik", {{2, 3, 2, 3}, {3, 3, 2}}},
    {"...i,i->...", "abi,i->ab", {{2, 3, 4}, {4}}},
    {"...", "ab->ab", {{2, 3}}},
    {"...i->i", "abi->i", {{2, 3, 4}}},
    {"i...->...i", "iab->abi", {{2, 3, 4}}},
    {"...ij,...jk", "abij,abjk->abik", {{1, 3, 2, 3}, {2, 1, 3, 2}}},
    {"a b , b c -> c", "ab,bc->c", {{2, 3}, {3, 4}}},
    {",ij->ij", ",ij->ij", {{}, {2, 3}}},
    {"ij,jk->ik", "ij,jk->ik", {{2, 0}, {0, 4}}},
    {"abc,cd->abd", "abc,cd->abd", {{0, 3, 2}, {2, 2}}},
};

}  // namespace

BOOST_AUTO_TEST_CASE(einsum_is_its_definition) {
  for (const Equation& e : equations) {
    Graph g;
    std::vector<Value> x;
    std::vector<Tensor> tensors;
    test::Tensors feeds;
    for (std::size_t k = 0; k < e.shapes.size(); ++k) {
      const std::string name = "x" + std::to_string(k);
      tensors.push_back(draw(e.shapes[k], -1, 1, k + 1));
      x.push_back(input(g, name, f64, e.shapes[k]));
      feeds.emplace(name, tensors.back());
    }
    const Value y = einsum(e.given, x);
    check(interpret({y}, feeds)[0], summed(e.plain, tensors), e.given);
    if (std::all_of(tensors.begin(), tensors.end(), [](const Tensor& t) { return t.count() > 0; }))
      test::check_gradients(y, x, feeds);
  }
}

BOOST_AUTO_TEST_CASE(einsum_takes_any_size_of_a_free_axis) {
  Graph g;
  const Value a = input(g, "a", f64, {any(2), 3, any(2), 4}), b = input(g, "b", f64, {any(2), 5, any(2), 4});
  const Value y = einsum("bqhd,bkhd->bhqk", {a, b}),
              z = einsum("abcb->ac", {a[{range(), range(), range(), range(0, 3)}]});
  const Tensor ta = draw({3, 3, 1, 4}, -1, 1, 1), tb = draw({3, 5, 1, 4}, -1, 1, 2);
  const auto got = test::on_all_threads({y}, {{"a", ta}, {"b", tb}});
  check(got[0], summed("bqhd,bkhd->bhqk", {ta, tb}), "other sizes");
  BOOST_TEST(z.shape() == Shape({2, 2}));
}

BOOST_AUTO_TEST_CASE(einsum_of_integers) {
  Graph g;
  const Value a = constant(g, Tensor::of<std::int32_t>({2, 2}, {1, 2, 3, 4}));
  BOOST_TEST(same_bits(interpret({einsum("ij,jk->ik", {a, a})})[0], Tensor::of<std::int32_t>({2, 2}, {7, 10, 15, 22})));
  BOOST_TEST(same_bits(interpret({einsum("ii", {a})})[0], Tensor::scalar<std::int32_t>(5)));
}

BOOST_AUTO_TEST_CASE(vectors_in_products) {
  Graph g;
  const Value v = input(g, "v", f64, {3}), m = input(g, "m", f64, {3, 2}), b = input(g, "b", f64, {2, 4, 3});
  const test::Tensors feeds{
      {"v", draw({3}, -1, 1, 1)}, {"m", draw({3, 2}, -1, 1, 2)}, {"b", draw({2, 4, 3}, -1, 1, 3)}};
  const auto is = [&](Value y, const std::string& plain, const std::vector<std::string>& names) {
    std::vector<Tensor> x;
    for (const std::string& n : names) x.push_back(feeds.at(n));
    check(interpret({y}, feeds)[0], summed(plain, x), plain);
  };
  is(matmul(v, v), "i,i->", {"v", "v"});
  is(matmul(v, m), "i,ij->j", {"v", "m"});
  is(matmul(m, v, {.transpose_a = true}), "ij,i->j", {"m", "v"});
  is(matmul(b, v), "abi,i->ab", {"b", "v"});
  is(matmul(v, b, {.transpose_b = true}), "i,abi->ab", {"v", "b"});
  is(outer(v, v), "i,j->ij", {"v", "v"});
  test::check_gradients(matmul(b, v), {b, v}, {{"b", feeds.at("b")}, {"v", feeds.at("v")}});
}

BOOST_AUTO_TEST_CASE(a_singular_matrix_has_no_inverse) {
  Graph g;
  const Value a = constant(g, Tensor::of<double>({2, 2}, {1, 2, 2, 4}));
  BOOST_TEST(interpret({det(a)})[0].item<double>() == 0);
  const Tensor none = interpret({inverse(a)})[0];
  for (const double x : none.span<double>()) BOOST_TEST(std::isnan(x));
  const Value half = constant(g, Tensor::of<double>({2, 2}, {2, 0, 1, 4}));
  BOOST_TEST(interpret({cast(det(cast(half, f16)), f64)})[0].item<double>() == 8);
}

BOOST_AUTO_TEST_CASE(messages_say_what_to_do) {
  Graph g;
  const Value a = input(g, "a", f32, {2, 3}), b = input(g, "b", f32, {3, 4});
  test::says([&] { einsum("ij,jk->ik", {a}); }, "einsum: the subscripts are of 2 operands, but 1 are given");
  test::says([&] { einsum("ijk->ik", {a}); }, "einsum: operand 0 has 2 axes, but its subscripts are \"ijk\"");
  test::says([&] { einsum("ij->il", {a}); }, "einsum: the result has the subscript \"l\", which no operand has");
  test::says([&] { einsum("ij->ii", {a}); }, "einsum: the result has the subscript \"i\" twice");
  test::says(
      [&] {
        einsum("ij,jk", {a, a});
      },
      "einsum: axis 0 of operand 1, f32[2, 3], has the size 2 where another has 3");
  test::says([&] { einsum("i1,1k", {a, b}); }, "einsum: the subscripts have a \"1\"");
  test::says([&] { einsum("i>j", {a}); }, "einsum: operand 0 has 2 axes");
  test::says([&] { det(a); }, "det: a is f32[2, 3], not a square matrix");
}

BOOST_AUTO_TEST_SUITE_END()
