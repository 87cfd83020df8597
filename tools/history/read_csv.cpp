#include <fmt/format.h>
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>

#include "history/formats.h"

namespace oxbow::tools {
namespace {

std::string_view trimmed(std::string_view s) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

// Records of RFC 4180, one after another; empty lines are none.
class Records {
 public:
  explicit Records(std::string_view text) : text_(text) {}

  /// False at the end of the text. Fields are without quotes, and without blanks around them; those beyond `most` are
  /// only counted.
  bool next(std::vector<std::string>& fields, std::size_t most) {
    for (; at_ < text_.size(); ++line_) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      if (!trimmed(text_.substr(at_, end - at_)).empty()) break;
      at_ = end + 1;
    }
    if (at_ >= text_.size()) return false;
    fields.clear();
    first_line_ = line_;
    count_ = 0;
    do {
      std::string value = field();
      if (count_++ < most) fields.push_back(std::move(value));
    } while (text_.substr(at_ - 1, 1) == ",");
    return true;
  }

  std::size_t count() const { return count_; }      ///< of the record's fields
  std::size_t line() const { return first_line_; }  ///< of the record's start
  bool last() const { return at_ > text_.size(); }  ///< the record has no line end, so it may be cut short
  bool open() const { return open_; }               ///< a quote in it has no end
  bool one_line() const { return first_line_ == line_; }

 private:
  // Ends behind the comma or the line end that ends the field; one behind the text where that ends it.
  std::string field() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    std::string value;
    if (at_ < text_.size() && text_[at_] == '"') {
      for (open_ = true, ++at_; open_ && at_ < text_.size(); ++at_) {
        const bool twice = text_.substr(at_, 2) == "\"\"";
        if (text_[at_] == '"' && !twice) {
          open_ = false;
          continue;
        }
        if (text_[at_] == '\n') ++line_;
        value += text_[at_];
        if (twice) ++at_;
      }
    }
    const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
    value += trimmed(text_.substr(std::min(at_, end), end - std::min(at_, end)));
    if (end < text_.size() && text_[end] == '\n') ++line_;
    at_ = end + 1;
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0, line_ = 1, first_line_ = 1, count_ = 0;
  bool open_ = false;
};

}  // namespace

Table read_csv(std::string_view text, const std::string& path) {
  Records records(text);
  Rows rows({path, text.size()});
  std::vector<std::string> record;
  while (records.next(record, internal::limits::history_columns)) {
    const auto fail = [&](const std::string& what) {
      throw Error(fmt::format("{}:{}: {}", path, records.line(), what));
    };
    if (records.open() && !records.one_line()) fail("a field in quotes has no end");
    if (rows.columns() == 0) {
      const bool header = !is_number(record[0]) || record[0].empty();
      if (!header && records.count() > 2) fail("a table of more than two columns needs a header: step,loss,...");
      check_size({path, text.size()}, 0, records.count());
      for (std::size_t i = 0; i < record.size(); ++i)
        rows.add_column(header ? record[i] : i + 1 == record.size() ? "loss" : "step");
      if (header) continue;
    }
    if (records.last() && (records.open() || records.count() < rows.columns())) break;  // cut short
    if (records.count() != rows.columns())
      fail(fmt::format("expected {} fields, found {}", rows.columns(), records.count()));
    rows.begin_row();
    for (std::size_t i = 0; i < record.size(); ++i) rows.set(i, record[i], records.line());
  }
  return rows.take();
}

}  // namespace oxbow::tools
