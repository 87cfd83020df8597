// CSV, read in one pass: fields that are numbers go straight to their column. Where a column turns out to be text after
// numbers, a second pass reads those columns again, so that the time stays in proportion to the file.
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/optim/csv.h>
#include <oxbow/runtime/files/mapped_file.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

namespace oxbow {
using namespace internal;

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr double none = std::numeric_limits<double>::quiet_NaN();

// A column that grows. Its numbers become text in a second pass, `again`.
struct Growing {
  enum class Does : std::uint8_t { integers, numbers, text, skip };  // as ColumnType
  Does does = Does::integers;
  bool fixed = false, again = false;
  TableColumn column;
  struct Texts {
    std::deque<std::string> all;  // which do not move; in order of first appearance
    std::unordered_map<std::string_view, std::int32_t> codes;
  };
  std::unique_ptr<Texts> texts;  // from the first one on: they take more than a column of none otherwise does
};
using Does = Growing::Does;

struct Field {
  std::string_view text;  // without its quotes
  const char* next;       // behind it: at a separator, a line end or the end
  bool quoted;
};

std::string_view trimmed(std::string_view s) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

class CsvReader {
 public:
  CsvReader(std::string_view text, const CsvOptions& options, const std::string& name)
      : begin_(text.data()), end_(text.data() + text.size()), options_(options), name_(name) {
    if (text.starts_with(byte_order_mark)) begin_ += byte_order_mark.size();
    const char s = options.separator;
    if (static_cast<unsigned char>(s) >= 0x80 || std::isalnum(static_cast<unsigned char>(s)) != 0 || s == '"' ||
        s == '.' || s == '+' || s == '-' || (s != '\t' && static_cast<unsigned char>(s) < ' '))
      throw Error("read_csv: " + in_quotes(std::string(1, s)) +
                  " cannot separate fields. Give ',', ';', '\\t' or the like");
    missing_.insert(options.missing.begin(), options.missing.end());
  }

  Table read() {
    const char* body = header();
    rows(body);
    if (std::any_of(columns_.begin(), columns_.end(), [](const Growing& c) { return c.again; })) {
      for (Growing& c : columns_) {
        if (c.does != Does::skip) c.column.type = static_cast<ColumnType>(c.does);
        c.does = c.again ? Does::text : Does::skip;
        if (c.again) c.column.missing = 0;
      }
      rows(body);
    }
    std::vector<TableColumn> done;
    for (Growing& c : columns_)
      if (!c.column.name.empty()) done.push_back(finished(c));
    return Table(std::move(done), name_);
  }

 private:
  [[noreturn]] void fail(const char* at, const std::string& what) const {
    const auto line = 1 + std::count(begin_, at, '\n');
    const char* start = at;
    while (start > begin_ && start[-1] != '\n') --start;
    throw Error(name_ + ":" + std::to_string(line) + ":" + std::to_string(at - start + 1) + ": " + what);
  }
  [[noreturn]] void fail(const Growing& c, const char* at, const std::string& what) const {
    fail(at, "column " + in_quotes(c.column.name) + ": " + what);
  }

  bool ends(const char* p) const { return p == end_ || *p == options_.separator || ends_line(p); }
  bool ends_line(const char* p) const {
    return p == end_ || *p == '\n' || (*p == '\r' && (p + 1 == end_ || p[1] == '\n'));
  }
  const char* behind_line_end(const char* p) const {
    if (p < end_ && *p == '\r') ++p;
    return p < end_ ? p + 1 : p;
  }

  void check_text(const char* p, const char* end) const {
    for (; p < end; ++p) {
      if (*p == 0)
        fail(p,
             "a byte is 0, as in no text. If the file is UTF-16, write it as UTF-8; else it is something other "
             "than CSV");
      if (static_cast<unsigned char>(*p) < 0x80) continue;
      const Utf8Character c = utf8_at({p, static_cast<std::size_t>(end - p)}, 0);
      if (!c.valid) fail(p, "what stands here is not UTF-8. Write the file as UTF-8");
      p += c.length - 1;
    }
  }

  // `scratch_` holds what had doubled quotes, until the next field.
  Field field(const char* p) {
    if (p == end_ || *p != '"') {
      const char* q = p;
      while (!ends(q)) ++q;
      check_text(p, q);
      return {{p, static_cast<std::size_t>(q - p)}, q, false};
    }
    const char *open = p, *from = p + 1;
    bool doubled = false;
    while (true) {
      const auto* q = static_cast<const char*>(std::memchr(from, '"', static_cast<std::size_t>(end_ - from)));
      if (from == end_ || q == nullptr) fail(open, "the quote that opens here has no end");
      const bool twice = q + 1 < end_ && q[1] == '"';
      if (doubled || twice) {
        if (!doubled)
          scratch_.assign(open + 1, q);
        else
          scratch_.append(from, q);
        if (twice) scratch_ += '"';
        doubled = true;
      }
      if (twice) {
        from = q + 2;
        continue;
      }
      check_text(open, q);
      if (!ends(q + 1))
        fail(q + 1, "behind the quote that ends a field there is more of it. Double a quote within a field: \"\"");
      return {doubled ? std::string_view(scratch_) : std::string_view(open + 1, static_cast<std::size_t>(q - open - 1)),
              q + 1, true};
    }
  }

  bool is_missing(const Field& f, std::string_view text) const {
    return text.empty() || (!f.quoted && missing_.contains(text));
  }

  // The columns; returns where the rows begin.
  const char* header() {
    const char* p = begin_;
    while (p < end_ && ends_line(p)) p = behind_line_end(p);
    if (p == end_)
      fail(begin_, options_.header ? "there is nothing in it. The first line has to name the columns"
                                   : "there is nothing in it");
    const char* first = p;
    std::unordered_set<std::string> names;
    while (true) {
      if (columns_.size() == limits::csv_columns)
        fail(p, "there are more than " + std::to_string(limits::csv_columns) + " columns");
      const Field f = field(p);
      Growing& c = columns_.emplace_back();
      c.column.name = options_.header ? std::string(trimmed(f.text)) : "";
      if (c.column.name.empty()) c.column.name = std::to_string(columns_.size() - 1);
      if (!names.insert(c.column.name).second)
        fail(p, "there are two columns " + in_quotes(c.column.name) + ". Give each a name of its own");
      p = f.next;
      if (ends_line(p)) break;
      ++p;
    }
    choose(first);
    return options_.header ? behind_line_end(p) : first;
  }

  void choose(const char* first) {
    std::vector<std::string> known;
    for (const Growing& c : columns_) known.push_back(c.column.name);
    const auto find = [&](const std::string& name) -> Growing& {
      const auto found = std::find(known.begin(), known.end(), name);
      if (found == known.end())
        fail(first,
             "there is no column " + in_quotes(name) + "." + did_you_mean(name, known) + " There are " + quoted(known));
      return columns_[static_cast<std::size_t>(found - known.begin())];
    };
    for (const auto& [name, type] : options_.types) {
      Growing& c = find(name);
      c.fixed = true;
      c.does = static_cast<Does>(type);
    }
    std::unordered_set<std::string> wanted;
    for (const std::string& name : options_.columns) wanted.insert(find(name).column.name);
    for (Growing& c : columns_) {
      if (!wanted.empty() && !wanted.contains(c.column.name)) {
        c.does = Does::skip;
        c.column.name.clear();
      }
    }
  }

  void rows(const char* body) {
    rows_ = 0;
    for (const char* p = body; p < end_;) {
      if (ends_line(p)) {
        p = behind_line_end(p);
        continue;
      }
      const char* record = p;
      for (std::size_t c = 0;; ++p) {
        p = take(columns_[c], p);
        if (ends_line(p)) {
          if (++c < columns_.size())
            fail(record, "this line has " + std::to_string(c) + (c == 1 ? " field" : " fields") + ", but there are " +
                             std::to_string(columns_.size()) + " columns");
          break;
        }
        if (++c == columns_.size())
          fail(p, "this line has more fields than there are columns, " + std::to_string(columns_.size()) +
                      ". Put a field with separators in it into quotes");
      }
      if (static_cast<std::size_t>(p - record) > limits::csv_record_bytes)
        fail(record, "this line has " + std::to_string(p - record) + " bytes, more than the " +
                         std::to_string(limits::csv_record_bytes) + " that are read. Is a quote missing?");
      p = behind_line_end(p);
      if (++rows_ == 100) reserve(static_cast<std::size_t>((end_ - body) * 105 / (p - body)));
    }
  }

  // For so many rows: a row has a byte a column at least, so that this is in proportion to the file.
  void reserve(std::size_t rows) {
    for (Growing& c : columns_) {
      if (c.does == Does::integers) c.column.integers.reserve(rows);
      if (c.does == Does::numbers) c.column.numbers.reserve(rows);
      if (c.does == Does::text) c.column.codes.reserve(rows);
    }
  }

  // Takes the field at `p` into a column; returns what is behind it.
  const char* take(Growing& c, const char* p) {
    if (c.does == Does::integers) {
      std::int64_t value;
      const auto [q, error] = std::from_chars(p, end_, value);
      if (error == std::errc() && ends(q)) {
        c.column.integers.push_back(value);
        return q;
      }
    } else if (c.does == Does::numbers) {
      double value;
      const auto [q, error] = std::from_chars(p, end_, value);
      if (error == std::errc() && ends(q) && value == value) {
        c.column.numbers.push_back(value);
        return q;
      }
    }
    const Field f = field(p);
    if (c.does != Does::skip) put(c, f, p);
    return f.next;
  }

  void put(Growing& c, const Field& f, const char* at) {
    const std::string_view inner = trimmed(f.text);
    if (is_missing(f, inner)) return put_missing(c, at);
    if (c.does == Does::text) return put_text(c, f.text, at);
    const bool plus = inner.starts_with('+') && inner.size() > 1 && inner[1] != '-';
    const std::string_view digits = inner.substr(plus ? 1 : 0);
    const char* last = digits.data() + digits.size();
    std::errc error{};
    const auto is_number = [&](auto& value) {
      const auto got = std::from_chars(digits.data(), last, value);
      error = got.ec;
      return got.ptr == last && got.ec != std::errc::invalid_argument;
    };
    const auto check_range = [&](bool whole) {
      if (error == std::errc()) return;
      fail(c, at,
           "the number " + shown_text(digits) + " is out of range" + (whole ? " of 64 bits" : " of double precision") +
               ". Read the column as text by .types, if it is none to compute with");
    };
    if (std::int64_t value = 0; c.does == Does::integers && is_number(value)) {
      check_range(true);
      c.column.integers.push_back(value);
      return;
    }
    if (double value = 0; is_number(value)) {
      if (value != value) return put_missing(c, at);  // "nan", however it is written
      if (error != std::errc()) value = rounded_to_zero(digits, error);
      check_range(false);
      if (c.does == Does::integers) {
        if (c.fixed) fail(c, at, shown_text(inner) + " is no whole number, but these were asked for");
        become_numbers(c);
      }
      c.column.numbers.push_back(value);
      return;
    }
    if (c.fixed)
      fail(c, at,
           shown_text(inner) + " is no " + (c.does == Does::integers ? "whole number" : "number") +
               ", but these were asked for");
    if (c.column.missing == rows_) {  // the first value that there is
      c.does = Does::text;
      c.column.codes.assign(static_cast<std::size_t>(rows_), -1);
      c.column.integers = {};
      c.column.numbers = {};
      return put_text(c, f.text, at);
    }
    c.again = true;
    c.does = Does::skip;
    c.column.integers = {};
    c.column.numbers = {};
  }

  // A number too close to 0 for any double is 0, and no error: `from_chars` calls it out of range as it does one that
  // is too large. Which it is its exponent says. No function of C reads it: those follow the locale.
  static double rounded_to_zero(std::string_view digits, std::errc& error) {
    const bool negative = digits.starts_with('-');
    if (below_one(digits.substr(negative ? 1 : 0))) error = {};
    return negative ? -0.0 : 0.0;
  }
  static bool below_one(std::string_view digits) {
    const std::size_t e = std::min(digits.find_first_of("eE"), digits.size());
    const std::string_view mantissa = digits.substr(0, e);
    const std::int64_t point = std::ssize(mantissa.substr(0, mantissa.find('.')));
    const auto first = static_cast<std::int64_t>(mantissa.find_first_not_of("0."));
    std::string_view power = digits.substr(std::min(e + 1, digits.size()));
    if (power.starts_with('+')) power.remove_prefix(1);
    std::int64_t exponent = 0;
    if (std::from_chars(power.data(), power.data() + power.size(), exponent).ec == std::errc::result_out_of_range)
      return power.starts_with('-');
    return exponent < first - point;  // from the first digit that counts to the point; a file has fewer than 2^62
  }

  void put_missing(Growing& c, const char* at) {
    if (c.does == Does::integers) {
      if (c.fixed) fail(c, at, "a value is missing, but whole numbers were asked for. Ask for numbers");
      become_numbers(c);
    }
    if (c.does == Does::numbers) c.column.numbers.push_back(none);
    if (c.does == Does::text) c.column.codes.push_back(-1);
    ++c.column.missing;
  }

  void put_text(Growing& c, std::string_view text, const char* at) {
    if (!c.texts) c.texts = std::make_unique<Growing::Texts>();
    auto& [all, codes] = *c.texts;
    auto found = codes.find(text);
    if (found == codes.end()) {
      if (all.size() == std::numeric_limits<std::int32_t>::max()) fail(c, at, "there are too many different texts");
      const std::string& own = all.emplace_back(text);
      found = codes.emplace(own, static_cast<std::int32_t>(all.size() - 1)).first;
    }
    c.column.codes.push_back(found->second);
  }

  static void become_numbers(Growing& c) {
    c.does = Does::numbers;
    c.column.numbers.reserve(c.column.integers.capacity());
    for (const std::int64_t v : c.column.integers) c.column.numbers.push_back(static_cast<double>(v));
    c.column.integers = {};
  }

  static TableColumn finished(Growing& c) {
    TableColumn& column = c.column;
    if (c.does != Does::skip) column.type = static_cast<ColumnType>(c.does);
    if (column.type != ColumnType::text) return std::move(column);
    if (!c.texts) return std::move(column);  // every value is missing
    std::deque<std::string>& texts = c.texts->all;
    std::vector<std::int32_t> order(texts.size()), place(texts.size());
    std::iota(order.begin(), order.end(), 0);
    const auto text = [&](std::int32_t i) -> std::string& { return texts[static_cast<std::size_t>(i)]; };
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return text(a) < text(b); });
    for (std::size_t i = 0; i < order.size(); ++i) {
      place[static_cast<std::size_t>(order[i])] = static_cast<std::int32_t>(i);
      column.categories.push_back(std::move(text(order[i])));
    }
    for (std::int32_t& code : column.codes)
      if (code >= 0) code = place[static_cast<std::size_t>(code)];
    return std::move(column);
  }

  static std::string shown_text(std::string_view text) { return "\"" + shown(text, limits::shown_name) + "\""; }

  const char *begin_, *end_;
  const CsvOptions& options_;
  const std::string& name_;
  std::unordered_set<std::string_view> missing_;
  std::vector<Growing> columns_;
  std::int64_t rows_ = 0;
  std::string scratch_;
};

}  // namespace

Table parse_csv(std::string_view text, const CsvOptions& options, const std::string& name) {
  return with_own_errors("cannot read", name, [&] { return CsvReader(text, options, name).read(); });
}

Table read_csv(const std::string& path, const CsvOptions& options) {
  return with_own_errors("cannot read", path, [&] {
    const MappedFile file(path);
    return CsvReader(file.text(), options, path).read();
  });
}

std::string to_csv(const Table& table) {
  const CsvOptions plain;
  std::string text;
  const std::vector<std::string> names = table.names();
  const auto add = [&](const std::string& field, bool quoted) {
    if (!quoted && field.find_first_of(",\"\r\n") == std::string::npos &&
        std::find(plain.missing.begin(), plain.missing.end(), field) == plain.missing.end() &&
        trimmed(field).size() == field.size()) {
      text += field;
      return;
    }
    text += '"';
    for (const char c : field) text += c == '"' ? "\"\"" : std::string(1, c);
    text += '"';
  };
  std::vector<const TableColumn*> columns;
  for (const std::string& name : names) {
    if (!columns.empty()) text += ',';
    add(name, name.empty() || name.starts_with(byte_order_mark));
    columns.push_back(&table[name]);
  }
  text += '\n';
  for (std::int64_t row = 0; row < table.size(); ++row) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c > 0) text += ',';
      const std::string field = columns[c]->text(row);
      add(field, columns.size() == 1 && field.empty());  // an empty line is no row
    }
    text += '\n';
  }
  return text;
}

}  // namespace oxbow
