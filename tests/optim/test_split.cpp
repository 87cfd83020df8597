// Rows of data by number, and how they are parted to train, to validate and to test.
#include <oxbow/optim/dataset.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <numeric>
#include <set>

#include "support/message.h"
#include "support/says.h"

BOOST_AUTO_TEST_SUITE(test_split)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// A file sorted by label: `counts[c]` rows of label 10 c, and each row's number.
Dataset sorted(std::vector<std::int64_t> counts) {
  std::vector<std::int64_t> rows, labels;
  for (std::size_t c = 0; c < counts.size(); ++c)
    labels.insert(labels.end(), static_cast<std::size_t>(counts[c]), 10 * static_cast<std::int64_t>(c));
  rows.resize(labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  const std::int64_t n = std::ssize(rows);
  return {{"row", Tensor::of({n}, rows)}, {"label", Tensor::of({n, 1}, labels)}};
}

std::vector<std::int64_t> column(const Dataset& data, const char* name) {
  const Tensor& t = data[name];
  return {t.data<std::int64_t>(), t.data<std::int64_t>() + t.count()};
}

std::map<std::int64_t, int> labels(const Dataset& data) {
  std::map<std::int64_t, int> counts;
  for (const std::int64_t label : column(data, "label")) ++counts[label];
  return counts;
}

// Both parts together are all rows, each once.
void is_whole(const Dataset& data, const std::pair<Dataset, Dataset>& parts) {
  std::vector<std::int64_t> rows = column(parts.first, "row");
  for (const std::int64_t row : column(parts.second, "row")) rows.push_back(row);
  std::sort(rows.begin(), rows.end());
  BOOST_TEST(rows == column(data, "row"), boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_sorted_file_is_split_without_order) {
  const Dataset data = sorted({50, 50});
  const auto parts = data.split(0.2);
  is_whole(data, parts);
  BOOST_TEST(parts.second.size() == 20);
  BOOST_TEST(labels(parts.first).size() == 2U);
  BOOST_TEST(labels(parts.second).size() == 2U);
  BOOST_TEST(column(data.split(0.2).second, "row") == column(parts.second, "row"));
  BOOST_TEST(column(data.split(0.2, {.seed = 1}).second, "row") != column(parts.second, "row"));
  const auto last = data.split(0.2, {.shuffle = false});
  BOOST_TEST(column(last.second, "row").front() == 80);
  BOOST_TEST(last.second["row"].bytes() == data["row"].bytes() + 80 * 8);
  BOOST_TEST(data.split(0).second.size() == 0);
  BOOST_TEST(data.split(1).first.size() == 0);
  says([&] { data.split(1.5); }, "the data cannot be split at 1.5: give a fraction from 0 to 1");
}

BOOST_AUTO_TEST_CASE(each_class_keeps_its_share) {
  const Dataset data = sorted({10, 33, 57});
  for (const bool shuffle : {true, false}) {
    const auto parts = data.split(0.25, {.shuffle = shuffle, .stratify = "label"});
    is_whole(data, parts);
    // 2.5, 8.25, 14.25: 25 together, so the largest fraction is rounded up.
    BOOST_TEST((labels(parts.second) == std::map<std::int64_t, int>{{0, 3}, {10, 8}, {20, 14}}));
  }
  const std::vector<std::int64_t> held =
      column(data.split(0.25, {.shuffle = false, .stratify = "label"}).second, "row");
  BOOST_TEST(std::is_sorted(held.begin(), held.end()));
  BOOST_TEST(held[0] == 7);  // the last of its class
  const std::vector<std::int64_t> mixed = column(data.split(0.25, {.stratify = "label"}).first, "label");
  BOOST_TEST(!std::is_sorted(mixed.begin(), mixed.end()));
  const Dataset numbers{{"x", draw({4}, 0, 1, 1, f32)}, {"y", draw({4, 2}, 0, 9, 1, i64)}};
  says([&] { numbers.split(0.5, {.stratify = "x"}); },
       "the data cannot be stratified by column \"x\", f32[4]: give one whole number a row");
  says([&] { numbers.split(0.5, {.stratify = "y"}); }, "by column \"y\", i64[4, 2]");
  says([&] { numbers.split(0.5, {.stratify = "z"}); }, "the data have no column \"z\"");
}

BOOST_AUTO_TEST_CASE(folds_hold_each_row_once) {
  const Dataset data = sorted({7, 16});
  for (const SplitOptions& options :
       {SplitOptions{}, SplitOptions{.shuffle = false}, SplitOptions{.stratify = "label"}}) {
    std::vector<std::int64_t> all;
    for (int i = 0; i < 5; ++i) {
      const auto parts = data.fold(i, 5, options);
      is_whole(data, parts);
      BOOST_TEST((parts.second.size() == 4 || parts.second.size() == 5));
      for (const std::int64_t row : column(parts.second, "row")) all.push_back(row);
      if (!options.stratify.empty()) BOOST_TEST(labels(parts.second)[0] >= 1);
    }
    if (!options.shuffle) BOOST_TEST(std::is_sorted(all.begin(), all.end()));
    std::sort(all.begin(), all.end());
    BOOST_TEST(all == column(data, "row"), boost::test_tools::per_element());
  }
  says([&] { data.fold(5, 5); }, "there is no fold 5 of 5 of data that have 23 rows");
  says([&] { data.fold(0, 24); }, "there is no fold 0 of 24");
}

BOOST_AUTO_TEST_CASE(rows_are_taken_by_number) {
  const Dataset data = sorted({2, 3}), taken = data.take({4, 0, 4});
  BOOST_TEST(column(taken, "row") == (std::vector<std::int64_t>{4, 0, 4}), boost::test_tools::per_element());
  BOOST_TEST(column(taken, "label") == (std::vector<std::int64_t>{10, 0, 10}), boost::test_tools::per_element());
  BOOST_TEST(taken.names() == (std::vector<std::string>{"row", "label"}), boost::test_tools::per_element());
  BOOST_TEST(data.take({}).size() == 0);
  says([&] { data.take({5}); }, "row 5 was asked for, but the data have 5");
}

BOOST_AUTO_TEST_SUITE_END()
