// Names, scopes and files may have any bytes in them; what a message shows of them does nothing to a terminal.
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_messages_names)

using namespace oxbow;
using namespace oxbow::internal;
using oxbow::test::message;

BOOST_AUTO_TEST_CASE(what_a_terminal_obeys_is_shown_as_an_escape) {
  const std::pair<std::string, std::string> cases[] = {
      {"plain, \"quoted\", back\\slash", "plain, \"quoted\", back\\slash"},
      {"\x1b[2J", "\\x1b[2J"},
      {std::string("a\0b", 3), "a\\x00b"},
      {"a\nb\tc\rd\x7f", "a\\nb\\tc\\x0dd\\x7f"},
      {"\u00e9\u05d0\u6f22\U0001f600", "\u00e9\u05d0\u6f22\U0001f600"},
      {"\xc2\x9b"
       "2J",
       "\\u009b2J"},                                                       // control sequence introducer, in 8 bits
      {"a\u202ebc\u2066\u200f\u061c", "a\\u202ebc\\u2066\\u200f\\u061c"},  // turns the line around
      {"a\u2028b", "a\\u2028b"},
      {"\x9b\xff\xc3", "\\x9b\\xff\\xc3"},
      {"\xe6\xbc", "\\xe6\\xbc"},                             // cut short
      {"\xc0\x80\xed\xa0\x80", "\\xc0\\x80\\xed\\xa0\\x80"},  // longer than needed; a surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}};          // beyond U+10FFFF
  for (const auto& [text, shown] : cases) {
    BOOST_TEST(escaped(text) == shown);
    BOOST_TEST(escaped(shown) == shown);
    BOOST_TEST(in_quotes(text) == '"' + shown + '"');
  }
  BOOST_TEST(escaped("a\nb\x1b", "\n\t") == "a\nb\\x1b");
}

// However long names are, and however many there are, a message stays readable and is made at once.
BOOST_AUTO_TEST_CASE(messages_are_bounded) {
  BOOST_TEST(shown("abcdefghij", 10) == "abcdefghij");
  BOOST_TEST(shown("abcdefghijk", 10) == "abcde...jk");
  BOOST_TEST(shown("abcd\u00e9fghi\u00e9k", 10) == "abcd...k");  // between characters
  BOOST_TEST(shown("abc\x1b\x1b\x1b.\nk", 10) == "abc...k");  // and between escapes
  BOOST_TEST(shown("abc\\x1b\\x1b.\\nk", 10) == "abc...k");
  BOOST_TEST(shown("ab\u202e\n\nk", 12) == "ab...\\nk");
  BOOST_TEST(shown("abcd\\x1zefghijk", 10) == "abcd\\...jk");  // none
  BOOST_TEST(shown("abc", 2) == "...");
  const std::string name(60'000, 'n'), name_shown = '"' + name.substr(0, 78) + "..." + name.substr(0, 39) + '"';
  BOOST_TEST(in_quotes(name) == name_shown);
  const std::vector<std::string> alike(5'000, name);
  BOOST_TEST(did_you_mean(std::string(60'000, 'm'), alike) == "");
  BOOST_TEST(did_you_mean(name + "n", std::vector{name}) == " Did you mean " + name_shown + "?");
  BOOST_TEST(listed(std::vector<std::string>(1'000, "x")).ends_with("x, x, ... (900 more)"));
  BOOST_TEST(quoted(alike).size() < 13'000u);
  const std::string whole = Error("begin" + std::string(1'000'000, ' ') + "end").what();
  BOOST_TEST(whole.size() == 16'384u);
  BOOST_TEST((whole.starts_with("begin ") && whole.ends_with(" end")));
  // In bytes of what is shown, whatever an escape takes.
  const std::string none = std::string(1'000'000, '\x1b'), often = "\u202e\xff\n";
  std::string turned;
  for (int i = 0; i < 20'000; ++i) turned += often;
  for (const std::string& bad : {none, turned, none.substr(0, 100), turned.substr(0, 100), turned.substr(0, 12'000)}) {
    const std::string said = Error(bad).what(), quote = in_quotes(bad);
    BOOST_TEST(said.size() <= 16'384u);
    BOOST_TEST(quote.size() <= 122u);
    for (const std::string& text : {said, quote.substr(1, quote.size() - 2)}) {
      BOOST_TEST((text.starts_with("\\x1b\\x1b") || text.starts_with("\\u202e\\xff")), text.substr(0, 100));
      const std::size_t gap = text.find("...");
      if (gap == std::string::npos) continue;
      const std::string head = text.substr(0, gap), tail = text.substr(gap + 3);
      for (const std::string& end : {head.substr(head.rfind('\\')), tail.substr(tail.front() == '\n' ? 1 : 0, 6)})
        BOOST_TEST((end.starts_with("\\x1b") || end.starts_with("\\u202e") || end.starts_with("\\xff") ||
                    end.starts_with("\\n")),
                   end);
    }
    BOOST_TEST(std::string(Error(said).what()) == said);
  }
}

// In a text they are escapes that read back, so nothing in a printed graph turns a terminal's line around.
BOOST_AUTO_TEST_CASE(printed_graphs_obey_nothing) {
  Graph g;
  const std::string bad = "a\u202e\xff\u009bb";
  g.add_output(bad, square(input(g, "x", f32, {2})).named(bad));
  const std::string text = print(g);
  BOOST_TEST(text.find("\"a\\xe2\\x80\\xae\\xff\\xc2\\x9bb\"") != std::string::npos, text);
  BOOST_TEST(escaped(text, "\n") == text);
  BOOST_TEST(equal(*parse(text, catalog()), g));
}

BOOST_AUTO_TEST_CASE(names_in_messages_are_printable) {
  const std::string bad = "e\x1b[2J\nv\u202ei\xffl", shown = "e\\x1b[2J\\nv\\u202ei\\xffl";
  Graph g;
  const Value x = input(g, bad, f32, {2, 4}), y = input(g, "y", f32, {3, 3});
  const Value w = variable(g, "w" + bad, {f32, {2, 4}});
  {
    const Scope scope(g, bad);
    const std::string said = message([&] { matmul(x, y); });
    BOOST_TEST(said == "matmul: the inner sizes differ: a has 4 columns, b has 3 rows\n  a: f32[2, 4] from " + shown +
                           "\n  b: f32[3, 3] from y\n  at HERE\n  in scope " + shown +
                           "\n  They must be equal: [..., n, k] times [..., k, m]");
  }
  BOOST_TEST(message([&] { y.named(bad); }).starts_with("the name \"" + shown + "\" is taken"));
  // Whatever a message is about, its lines are its own, and nothing in it is obeyed.
  Store store(g);
  Tensor fed({f32, {2, 4}});
  Dataset data{{bad, Tensor({f32, {2, 4}})}};
  const auto obeyed = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; };
  const std::string messages[] = {
      message([&] { gradients(x, {x}); }),
      message([&] { assign(x, y); }),
      message([&] {
        compile({sum(x)}).run(store, {{"z" + bad, fed}});
      }),
      message([&] { store.get("no" + bad); }),
      message([&] { store.set("w" + bad, Tensor::scalar(1)); }),
      message([&] { g.add_output(bad, x), g.add_output(bad, y); }),
      message([&] { data.add(bad, fed); }),
      message([&] { data.add("z" + bad, Tensor::scalar(1.f)); }),
      message([&] { parse("oxbow graph 1\n" + bad, catalog(), "file"); }),
      message([&] { compile(mean(square(w)), optim::Optimizer(bad)); }),
      message([&] { compile(mean(square(w)), "adam", {.minimize = {.groups = {{.pattern = bad, .rate = 0.5}}}}); }),
      message([&] { compile({sum(x)}, {.disable = {bad}}); })};
  for (const std::string& m : messages) {
    BOOST_TEST(m != "no error", "number " << &m - messages);
    BOOST_TEST(std::none_of(m.begin(), m.end(), obeyed), in_quotes(m));
    BOOST_TEST(m.find("\nv") == std::string::npos, m);
    BOOST_TEST(m.find("\u202e") == std::string::npos, in_quotes(m));
  }
  BOOST_TEST(message([&] { load_safetensors("no\x1b[2J"); }) == "cannot read no\\x1b[2J: No such file or directory");
  BOOST_TEST(std::string(Error("\x1b[31m").what()) == "\\x1b[31m");
  BOOST_TEST(std::string(InternalError("\x1b").what()).find("\\x1b") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
