// Tables from CSV: what is found in them, what is refused and where, and what becomes of missing values.
// Labels: memory.
#include <oxbow/graph/support/limits.h>
#include <oxbow/optim/csv.h>

#include <boost/test/unit_test.hpp>
#include <clocale>
#include <cmath>

#include "support/message.h"
#include "support/message_within.h"
#include "support/says.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_csv)

using namespace oxbow;
using namespace oxbow::test;

namespace {

constexpr const char* type_names[] = {"integers", "numbers", "text"};

// "a integers 1 2, b text x -": a table in a line, "-" for what is missing.
std::string shown(const Table& table) {
  std::string all;
  for (const std::string& name : table.names()) {
    const TableColumn& c = table[name];
    all += (all.empty() ? "" : ", ") + name + " " + type_names[static_cast<int>(c.type)];
    for (std::int64_t row = 0; row < table.size(); ++row) all += " " + (c.is_missing(row) ? "-" : c.text(row));
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(types_are_found) {
  const struct {
    const char *text, *table;
    CsvOptions options = {};
  } cases[] = {
      {"a,b,c\n1,2.5,x\n-3,4,y\n", "a integers 1 -3, b numbers 2.5 4, c text x y"},
      {"a,b\r\n1,2\r\n\r\n3,4", "a integers 1 3, b integers 2 4"},
      {"\xef\xbb\xbf"
       "a\n1\n",
       "a integers 1"},
      {"a,b\n1,2\n1.5,3\n", "a numbers 1 1.5, b integers 2 3"},
      {"a,b\n1,2\nx,3\n1,4\n", "a text 1 x 1, b integers 2 3 4"},  // read again as text
      {"a,b\n1.50,2\n1,2\nx,3\n", "a text 1.50 1 x, b integers 2 2 3"},
      {"a\n 1 \n\t+2\n3e2\n", "a numbers 1 2 300"},
      {"a,b\n1,\n,2\n", "a numbers 1 -, b numbers - 2"},
      {"a,b\nNA,x\n2,null\nnan,y\n-nan,None\n", "a numbers - 2 - -, b text x - y -"},
      {"a,b\n,\nNA,\nx,\n", "a text - - x, b numbers - - -"},
      {"a,b\n\"1,5\",\"he said \"\"no\"\"\"\n\"two\nlines\",\"\"\n", "a text 1,5 two\nlines, b text he said \"no\" -"},
      {"a\n\"NA\"\nx\n", "a text NA x"},  // in quotes it is a text
      {"a\n\"7\"\n8\n", "a integers 7 8"},
      {"a;b\n1;2\n", "a integers 1, b integers 2", {.separator = ';'}},
      {"1,x\n2,y\n", "0 integers 1 2, 1 text x y", {.header = false}},
      {",b\n0,1\n", "0 integers 0, b integers 1"},  // as pandas writes its index
      {"a,b,c\n1,2,3\n", "a integers 1, c integers 3", {.columns = {"c", "a"}}},
      {"zip,n\n00501,1\n",
       "zip text 00501, n numbers 1",
       {.types = {{"zip", ColumnType::text}, {"n", ColumnType::numbers}}}},
      {"a\n-\n3\n", "a numbers - 3", {.missing = {"-"}}},
      {"a,b\n", "a integers, b integers"},
      {"a\n1e-999\n9223372036854775807.0\n", "a numbers 0 9.223372036854776e+18"},
      {"a\n-4.9e-400\n1e-99999999999999999999\n0.0e+9\n", "a numbers -0 0 0"},
      {"a\ninf\n-inf\n", "a numbers inf -inf"},
      {"a,b\n\xc3\xa4,1\n", "a text \xc3\xa4, b integers 1"},
      {"a,b\n1,2,\n", nullptr},
  };
  for (const auto& [text, table, options] : cases)
    if (table)
      BOOST_TEST(shown(parse_csv(text, options)) == table, text);
    else
      BOOST_CHECK_THROW(parse_csv(text, options), Error);
}

// Where the machine has a locale that writes 0,5.
BOOST_AUTO_TEST_CASE(numbers_do_not_follow_the_locale) {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const char* locale : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"})
    if (std::setlocale(LC_NUMERIC, locale)) break;
  BOOST_TEST(shown(parse_csv("a\n2.5e-400\n0.5\n")) == "a numbers 0 0.5");
  BOOST_TEST(shown(parse_csv("a\n 2.5e-400\n -1.5\n")) == "a numbers 0 -1.5");
  std::setlocale(LC_NUMERIC, before.c_str());
}

BOOST_AUTO_TEST_CASE(what_is_no_csv_is_told_with_line_and_column) {
  const std::string long_line = "a,b\n1," + std::string(internal::limits::csv_record_bytes, 'x') + "\n";
  const struct {
    std::string text, said;
    CsvOptions options = {};
  } cases[] = {
      {"a,b,c\n1,2,3\n4,5\n", "CSV:3:1: this line has 2 fields, but there are 3 columns"},
      {"a,b\n1,2\n3,4,5\n", "CSV:3:4: this line has more fields than there are columns, 2"},
      {"a,b\n1,\"x\n2,3\n4,5\n", "CSV:2:3: the quote that opens here has no end"},
      {"a,b\n1,\"x\"y\n", "CSV:2:6: behind the quote that ends a field there is more of it"},
      {"a,b\n1,1e999\n", "CSV:2:3: column \"b\": the number \"1e999\" is out of range of double precision"},
      {"a\n1\n9223372036854775808\n",
       "CSV:3:1: column \"a\": the number \"9223372036854775808\" is out of range of 64 bits"},
      {"", "CSV:1:1: there is nothing in it. The first line has to name the columns"},
      {"\n\r\n", "CSV:1:1: there is nothing in it"},
      {"a,b,a\n1,2,3\n", "CSV:1:5: there are two columns \"a\""},
      {std::string("a,b\n1,x\0y\n", 10), "CSV:2:4: a byte is 0, as in no text"},
      {long_line, "CSV:2:1: this line has 16777218 bytes, more than the 16777216 that are read"},
      {"a,b\n1,2\n1,caf\xe9\n", "CSV:3:6: what stands here is not UTF-8"},
      {"a,b\n1,2\n1,old\n",
       "CSV:3:3: column \"b\": \"old\" is no number, but these were asked for",
       {.types = {{"b", ColumnType::numbers}}}},
      {"a,b\n1,2\n1,2.5\n",
       "CSV:3:3: column \"b\": \"2.5\" is no whole number",
       {.types = {{"b", ColumnType::integers}}}},
      {"a\n1\nNA\n",
       "CSV:3:1: column \"a\": a value is missing, but whole numbers were asked for",
       {.types = {{"a", ColumnType::integers}}}},
      {"price,b\n1,2\n",
       "CSV:1:1: there is no column \"prise\". Did you mean \"price\"? There are \"price\", \"b\"",
       {.columns = {"prise"}}},
      {"a\n1\n", "CSV:1:1: there is no column \"b\"", {.types = {{"b", ColumnType::text}}}},
      {"a\n", "read_csv: \"x\" cannot separate fields", {.separator = 'x'}},
  };
  for (const auto& [text, said, options] : cases) {
    BOOST_TEST_CONTEXT(said) {
      says([&] { parse_csv(text, options); }, said);
    }
  }
}

// A line of commas is as many columns.
BOOST_AUTO_TEST_CASE(a_column_without_texts_takes_little_memory) {
  const std::string commas(internal::limits::csv_columns - 1, ',');
  std::size_t columns = 0;
  const auto read = [&] { columns = parse_csv(commas + "\n" + commas + "\n").names().size(); };
  BOOST_TEST(message_within(80 << 20, read) == "no error");
  BOOST_TEST(columns == internal::limits::csv_columns);
}

BOOST_AUTO_TEST_CASE(files_are_read_and_written) {
  const TemporaryFolder folder;
  const std::string path = folder.write("t.csv", "n,x,s\n1,0.1,a\n2,,\"b,\"\"c\"\n3,1e300,NA\n");
  const Table table = read_csv(path);
  BOOST_TEST(shown(table) == "n integers 1 2 3, x numbers 0.1 - 1e+300, s text a b,\"c -");
  BOOST_TEST(table.source() == path);
  BOOST_TEST(to_csv(table) == "n,x,s\n1,0.1,a\n2,,\"b,\"\"c\"\n3,1e+300,\n");
  BOOST_TEST(shown(parse_csv(to_csv(table))) == shown(table));
  BOOST_TEST(to_csv(parse_csv("a\n1\n\"\"\n")) == "a\n1\n\"\"\n");
  says([&] { read_csv(folder / "none.csv"); }, "cannot read " + (folder / "none.csv") + ": No such file");
  says([&] { read_csv(folder / "."); }, "it is not a regular file");
  says([&] { read_csv(folder.write("bad.csv", "a\n1,2\n")); }, (folder / "bad.csv") + ":2:2: ");
}

BOOST_AUTO_TEST_CASE(tables_are_cut_and_filled) {
  const Table table = parse_csv("a,b,s\n1,2.5,x\n2,,y\n3,4.5,\n4,5.5,x\n");
  BOOST_TEST(shown(table.dropna()) == "a integers 1 4, b numbers 2.5 5.5, s text x x");
  BOOST_TEST(shown(table.rows(1, 3)) == "a integers 2 3, b numbers - 4.5, s text y -");
  const std::int64_t rows[] = {3, 0, 3};
  BOOST_TEST(shown(table.take(rows)) == "a integers 4 1 4, b numbers 5.5 2.5 5.5, s text x x x");
  BOOST_TEST(shown(table.fillna("b", 0).fillna("s", "n")) ==
             "a integers 1 2 3 4, b numbers 2.5 0 4.5 5.5, s text x y n x");
  BOOST_TEST(table["b"].missing == 1);
  BOOST_TEST(table["s"].missing == 1);
  const Tensor numbers = table.dropna().tensor({"b", "a"});
  BOOST_TEST(to_string(numbers.type()) == "f32[2, 2]");
  BOOST_TEST(same_bits(numbers, Tensor::of<float>({2, 2}, {2.5f, 1, 5.5f, 4})));
  says(
      [&] {
        table.tensor({"a", "b"});
      },
      "column \"b\" of CSV lacks the value of row 2. Leave such rows out by dropna()");
  says([&] { table.tensor({"s"}); }, "column \"s\" of CSV is text, not numbers");
  says([&] { table["c"]; }, "CSV has no column \"c\". Did you mean \"a\", \"b\" or \"s\"? It has \"a\", \"b\", \"s\"");
  says([&] { table.fillna("s", 1); }, "is text. Give a text");
  says([&] { table.fillna("a", "x"); }, "has numbers. Give a number");
  says([&] { table.rows(2, 5); }, "rows 2 to 5 were asked for, but CSV has 4");
  says([&] { Table({{.name = "a", .numbers = {1}}, {.name = "a", .numbers = {1}}}); }, "two columns \"a\"");
  says([&] { Table({{.name = "a", .numbers = {1}}, {.name = "b", .numbers = {}}}); }, "has 0 values, but \"a\" has 1");
  says([&] { Table({{.name = "a", .type = ColumnType::text, .codes = {1}, .categories = {"x"}}}); }, "the code 1");
}

BOOST_AUTO_TEST_SUITE_END()
