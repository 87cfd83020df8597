// From a table to the inputs of a model: numbers, one-hot, codes, labels; and what is fitted on data, normalised.
#include <oxbow/ops/ops.h>
#include <oxbow/optim/csv.h>
#include <oxbow/optim/normalization.h>
#include <oxbow/optim/table_encoder.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "support/message.h"
#include "support/says.h"

BOOST_AUTO_TEST_SUITE(test_table_encoder)

using namespace oxbow;
using namespace oxbow::test;

namespace {

Table flats() {
  return parse_csv("size,district,zip,rent,kind\n50,north,10,500,b\n70.5,south,9,800,a\n60,north,10,650,b\n", {},
                   "flats");
}

std::vector<float> floats(const Tensor& t) { return {t.data<float>(), t.data<float>() + t.count()}; }
std::vector<std::int64_t> whole(const Tensor& t) {
  return {t.data<std::int64_t>(), t.data<std::int64_t>() + t.count()};
}

}  // namespace

BOOST_AUTO_TEST_CASE(columns_become_inputs) {
  const TableEncoder encode(flats(), {.inputs = {"size", "district", "zip"}, .target = "rent", .codes = {"zip"}});
  const Dataset data = encode(flats());
  BOOST_TEST(encode.width() == 3);
  BOOST_TEST(to_string(data["x"].type()) == "f32[3, 3]");
  BOOST_TEST(floats(data["x"]) == (std::vector<float>{50, 1, 0, 70.5f, 0, 1, 60, 1, 0}),
             boost::test_tools::per_element());
  BOOST_TEST(whole(data["zip"]) == (std::vector<std::int64_t>{1, 0, 1}), boost::test_tools::per_element());  // 9, 10
  BOOST_TEST(to_string(data["y"].type()) == "f32[3, 1]");
  BOOST_TEST(floats(data["y"]) == (std::vector<float>{500, 800, 650}), boost::test_tools::per_element());
  BOOST_TEST(encode.labels().empty());
  BOOST_TEST(encode.categories("zip") == (std::vector<std::string>{"9", "10"}), boost::test_tools::per_element());
  // Other files, without the target and in other types, are read alike; so is what was written as JSON.
  const Table others = parse_csv("district,zip,size\nsouth,9.0,1\n", encode.csv_options(), "new");
  for (const TableEncoder& e : {encode, TableEncoder::parse(encode.json())}) {
    BOOST_TEST(floats(e(others)["x"]) == (std::vector<float>{1, 0, 1}), boost::test_tools::per_element());
    BOOST_TEST(whole(e(others)["zip"]) == std::vector<std::int64_t>{0}, boost::test_tools::per_element());
    BOOST_TEST(!e(others).contains("y"));
    BOOST_TEST(!e.inputs_of(flats()).contains("y"));
    BOOST_TEST(e.json() == encode.json());
  }
}

BOOST_AUTO_TEST_CASE(labels_are_numbered) {
  const TableEncoder text(flats(), {.inputs = {"size"}, .target = "kind"});
  BOOST_TEST(whole(text(flats())["y"]) == (std::vector<std::int64_t>{1, 0, 1}), boost::test_tools::per_element());
  BOOST_TEST(text.labels() == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
  const TableEncoder number(flats(), {.inputs = {"size"}, .target = "rent", .codes = {"rent"}});
  BOOST_TEST(whole(number(flats())["y"]) == (std::vector<std::int64_t>{0, 2, 1}), boost::test_tools::per_element());
  BOOST_TEST(number.labels() == (std::vector<std::string>{"500", "650", "800"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(missing_values_are_filled_where_that_is_asked_for) {
  const Table table = parse_csv("a,s\n1,x\n,y\n3,\n", {}, "t");
  const TableEncoder fill(table, {.inputs = {"a", "s"}, .fill_missing = true});
  BOOST_TEST(floats(fill(table)["x"]) == (std::vector<float>{1, 0, 1, 0, 2, 0, 0, 1, 3, 1, 0, 0}),
             boost::test_tools::per_element());
  BOOST_TEST(floats(TableEncoder::parse(fill.json())(table)["x"]) == floats(fill(table)["x"]),
             boost::test_tools::per_element());
  says([&] { TableEncoder(table, {.inputs = {"a"}})(table); },
       "column \"a\" of t lacks the value of row 2. Leave such rows out by dropna(), fill them by fillna(), or encode "
       "with {.fill_missing = true}");
  says([&] { TableEncoder(table, {.inputs = {"s"}})(table); }, "column \"s\" of t lacks the value of row 3");
}

BOOST_AUTO_TEST_CASE(numbers_that_are_not_finite_are_told) {
  for (const auto& [text, shown] : {std::pair{"inf", "inf"}, {"-inf", "-inf"}, {"1e300", "1e+300"}}) {
    const Table table = parse_csv("a\n1\n" + std::string(text) + "\n", {}, "t");
    says([&] { TableEncoder(table, {.inputs = {"a"}})(table); },
         "column \"a\" of t has " + std::string(shown) + " in row 2, which is no finite number in f32");
  }
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_told) {
  const TableEncoder encode(flats(), {.inputs = {"size", "district"}});
  says([&] { encode(parse_csv("size,district\n1,nroth\n", {}, "new")); },
       "column \"district\" of new has \"nroth\" in row 1, which is none of the 2 categories that the encoder was made "
       "with. Did you mean \"north\"");
  says([&] { encode(parse_csv("size\n1\n", {}, "new")); }, "new has no column \"district\"");
  says([&] { encode(parse_csv("size,district\nx,north\n", {}, "new")); },
       "column \"size\" of new is text, but the encoder was made with numbers");
  says([&] { TableEncoder(flats(), {}); }, "there are no inputs");
  says([&] { TableEncoder(flats(), {.inputs = {"sice"}}); }, "flats has no column \"sice\". Did you mean \"size\"");
  says([&] { TableEncoder(flats(), {.inputs = {"size"}, .target = "size"}); }, "column \"size\" is given twice");
  says([&] { TableEncoder(flats(), {.inputs = {"size"}, .codes = {"zip"}}); }, "is neither an input nor the target");
  says([&] { encode.categories("size"); }, "the encoder has no categories of \"size\". It has those of \"district\"");
  std::string many = "s\n";
  for (int i = 0; i < 1001; ++i) many += "t" + std::to_string(i) + "\n";
  says([&] { TableEncoder(parse_csv(many), {.inputs = {"s"}}); },
       "has 1001 different texts, too many for a column each");
  for (const char* json : {"", "[]", "{\"inputs\": [{\"name\": 1}]}",
                           "{\"inputs\": [{\"name\": \"a\", \"as\": \"b\"}]}", "{\"inputs\": [[[[[[[1]]]]]]]}"})
    BOOST_CHECK_THROW(TableEncoder::parse(json), Error);
}

BOOST_AUTO_TEST_CASE(numbers_are_normalised_in_the_graph) {
  const Tensor data = Tensor::of<float>({4, 3}, {1, 7, 10, 2, 7, 10, 3, 7, 10, 4, 7, 30});
  for (const Scaling scaling : {Scaling::standard, Scaling::min_max}) {
    const Normalization scale(data, scaling);
    Graph g;
    const Value x = input(g, "x", f32, {any(4), 3}), y = scale(x), back = scale.inverse(y);
    Store store(g);
    const auto out = compile({y, back}).run(store, {{"x", data}});
    for (int c = 0; c < 3; ++c) {
      double sum = 0, squares = 0, low = 1e9, high = -1e9;
      for (int row = 0; row < 4; ++row) {
        const double v = out[0].data<float>()[3 * row + c];
        sum += v, squares += v * v, low = std::min(low, v), high = std::max(high, v);
        BOOST_TEST(std::abs(out[1].data<float>()[3 * row + c] - data.data<float>()[3 * row + c]) < 1e-5);
      }
      const bool varies = c != 1;
      if (scaling == Scaling::standard) {
        BOOST_TEST(std::abs(sum) < 1e-5);
        BOOST_TEST(std::abs(squares - (varies ? 4 : 0)) < 1e-5);
      } else {
        BOOST_TEST(low == 0);
        BOOST_TEST(high == (varies ? 1 : 0));
      }
    }
    says(
        [&] {
          scale(input(g, "z", f32, {any(4), 2}));
        },
        "Normalization: the value is f32[4, 2], but was fitted on f32[3]");
  }
  const Normalization one(Tensor::of<double>({3}, {1, 2, 3}));
  BOOST_TEST(one.offset().item<double>() == 2);
  const Tensor two = Tensor::of<float>({2}, {2, 4});
  const Normalization known(Tensor::of<float>({2}, {1, 2}), two);
  Graph of_known;
  const Value scaled = known(input(of_known, "x", f32, {1, 2}));
  Store none;
  BOOST_TEST(same_bits(compile({scaled}).run(none, {{"x", Tensor::of<float>({1, 2}, {5, 0})}})[0],
                       Tensor::of<float>({1, 2}, {2, -0.5f})));
  says([&] { Normalization(two, Tensor::scalar(1.0f)); }, "the offset is f32[2] and the scale f32[]. Give two scalars");
  says(
      [&] {
        Normalization(two, Tensor({f32, {2}}));
      },
      "number 0 of the offset or the scale is not finite, or the scale is 0");
  says([] { Normalization(Tensor::of<std::int64_t>({1}, {1})); }, "the data are i64[1]. Give numbers");
  says([] { Normalization(Tensor({f32, {0, 3}})); }, "which is empty");
  says(
      [] {
        Normalization(Tensor::of<float>({2, 1}, {1, std::numeric_limits<float>::quiet_NaN()}));
      },
      "row 1 of column 0 is not finite");
}

BOOST_AUTO_TEST_SUITE_END()
