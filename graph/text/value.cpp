#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/text/number.h>
#include <oxbow/graph/text/value.h>

#include <algorithm>
#include <set>

namespace oxbow::internal::text {
namespace {

// A number as one text, put together from its tokens: "nan(0x7ff8000000000001)" is four.
std::string number_text(Lexer& in, std::string_view what) {
  const bool word = in.next_is("inf") || in.next_is("nan") || in.next_is("true") || in.next_is("false");
  if (!word && in.peek().kind != Token::number) in.unexpected(what);
  std::string text(in.take().raw);
  if (text == "nan" && in.accept('(')) {
    text += "(" + std::string(in.expect(Token::number, "the bits of a nan").raw) + ")";
    in.expect(')', "behind the bits of a nan");
  }
  return text;
}

// "[", elements by `read`, "]".
template <class F>
void read_list(Lexer& in, std::string_view what, F&& read) {
  in.expect('[', "before " + std::string(what));
  if (in.accept(']')) return;
  do read();
  while (in.accept(','));
  in.expect(']', "or ',' in " + std::string(what));
}

Tensor read_tensor(Lexer& in) {
  const Token start = in.take();
  const Type type = read_type(in);
  const std::string what = "an element of " + std::string(name(type.dtype));
  return dispatch(type.dtype, [&]<class T>(std::type_identity<T>) {
    const auto element = [&] {
      const Token at = in.peek();
      const std::string text = number_text(in, what);
      const std::optional<T> v = read_number<T>(text);
      if (!v) in.fail(at, "expected " + what + ", found \"" + text + "\"");
      return *v;
    };
    if (in.accept("splat")) {
      const T v = element();
      if (type.bytes() > limits::splat_bytes)
        in.fail(start, "a splat of " + std::to_string(type.bytes()) + " bytes is too large: at most " +
                           std::to_string(limits::splat_bytes) + " are read");
      if (!in.claim(type.bytes(), limits::all_splats_bytes))
        in.fail(start,
                "the splats up to here have more than " + std::to_string(limits::all_splats_bytes) + " bytes together");
      Tensor t(type);
      std::fill_n(t.data<T>(), type.stored(), v);
      return t;
    }
    if (in.accept("base64")) {
      const Token digits = in.expect(Token::string, "the bytes as a base64 string");
      // Compared before any memory is asked for, so that a short text cannot ask for much.
      const bool fits = static_cast<std::int64_t>(digits.value.size() / 4 * 3) >= type.bytes();
      Tensor t(fits ? type : Type{});
      if (!fits || !read_base64(digits.value, t.bytes(), static_cast<std::size_t>(type.bytes())))
        in.fail(digits, "expected base64 of " + std::to_string(type.bytes()) + " bytes, as " + to_string(type) +
                            " has; found a string of " + std::to_string(digits.value.size()) + " characters");
      if (type.dtype == boolean &&
          std::any_of(t.bytes(), t.bytes() + type.bytes(), [](std::byte b) { return std::to_integer<int>(b) > 1; }))
        in.fail(digits, "the bytes of a bool tensor are 0 or 1");
      return t;
    }
    const Token list = in.peek();
    std::vector<std::conditional_t<std::is_same_v<T, bool>, char, T>> values;
    read_list(in, "the elements, \"splat\" or \"base64\"", [&] { values.push_back(element()); });
    if (static_cast<std::int64_t>(values.size()) != type.stored())
      in.fail(list, to_string(type) + " takes " + std::to_string(type.stored()) + " elements, found " +
                        std::to_string(values.size()));
    Tensor t(type);
    std::copy(values.begin(), values.end(), t.data<T>());
    return t;
  });
}

std::int32_t read_panel(Lexer& in, const Shape& shape) {
  in.take();
  if (!in.accept("panel")) in.unexpected("\"panel\"");
  const Token at = in.peek();
  const std::int64_t panel = read_integer(in, "the width of a panel");
  constexpr std::int64_t widest = 1 << 20;
  if (panel < 1 || panel > widest) in.fail(at, "a panel's width is 1 to " + std::to_string(widest));
  if (shape.count() > Shape::max_count / panel)  // padded to whole panels, it must be addressable still
    in.fail(at, "shape " + to_string(shape) + " has more elements in panels than memory can address");
  in.expect('}', "behind the layout");
  return static_cast<std::int32_t>(panel);
}

DType read_dtype(Lexer& in) {
  const std::optional<DType> dtype = in.peek().kind == Token::word ? parse_dtype(in.peek().raw) : std::nullopt;
  if (!dtype) in.unexpected("a dtype (" + dtype_names() + ")");
  in.take();
  return *dtype;
}

// The shape and layout that follow a dtype.
Type read_type_behind(Lexer& in, const Token& word, DType dtype) {
  std::vector<std::int64_t> sizes;
  read_list(in, "the sizes of a shape", [&] { sizes.push_back(read_integer(in, "a size")); });
  Type type{dtype, {}, {}};
  try {
    type.shape = Shape(sizes);
  } catch (const Error& e) {
    in.fail(word, e.what());
  }
  if (in.next_is('{')) type.layout.panel = read_panel(in, type.shape);
  return type;
}

}  // namespace

std::int64_t read_integer(Lexer& in, std::string_view what) {
  const Token t = in.expect(Token::number, what);
  const std::optional<std::int64_t> v = read_number<std::int64_t>(t.raw);
  if (v) return *v;
  const std::size_t sign = t.raw.starts_with('-') ? 1 : 0;
  if (t.raw.find_first_not_of("0123456789", sign) == std::string_view::npos)
    in.fail(t, "the integer " + std::string(t.raw) + " does not fit in 64 bits");
  in.fail(t, "expected " + std::string(what) + ", found \"" + std::string(t.raw) + "\"");
}

Type read_type(Lexer& in) {
  const Token word = in.peek();
  return read_type_behind(in, word, read_dtype(in));
}

std::vector<Type> read_types(Lexer& in) {
  std::vector<Type> types;
  if (in.accept("none")) return types;
  do types.push_back(read_type(in));
  while (in.accept(','));
  return types;
}

AttrRecord read_record(Lexer& in, int depth, std::vector<Token>* where, const ReadGraph& read_graph) {
  AttrRecord record;
  in.expect('{', "before attributes");
  if (in.accept('}')) return record;
  std::set<std::string, std::less<>> keys;
  do {
    if (in.peek().kind != Token::word && in.peek().kind != Token::string) in.unexpected("the name of an attribute");
    const Token key = in.take();
    const std::string name = key.kind == Token::word ? std::string(key.raw) : key.value;
    if (!keys.insert(name).second) in.fail(key, "the attribute \"" + name + "\" is given twice");
    if (where != nullptr) where->push_back(key);
    in.expect(':', "behind the attribute's name");
    record.emplace_back(name, read_value(in, depth + 1, read_graph));
  } while (in.accept(','));
  in.expect('}', "or ',' behind an attribute");
  return record;
}

AttrValue read_value(Lexer& in, int depth, const ReadGraph& read_graph) {
  if (depth > limits::attribute_depth)
    in.fail(in.peek(), "attributes nest deeper than " + std::to_string(limits::attribute_depth) + " levels");
  if (in.next_is('{')) return read_record(in, depth, nullptr, read_graph);
  if (read_graph && in.accept("graph")) return read_graph(depth);
  if (in.next_is('[')) {
    AttrList list;
    read_list(in, "a list", [&] { list.push_back(read_value(in, depth + 1, read_graph)); });
    return list;
  }
  if (in.peek().kind == Token::string) return in.take().value;
  if (in.next_is("true") || in.next_is("false")) return in.take().raw == "true";
  if (in.next_is("tensor")) return read_tensor(in);
  if (in.peek().kind == Token::word && parse_dtype(in.peek().raw)) {
    const Token word = in.peek();
    const DType dtype = read_dtype(in);
    if (in.next_is('[')) return read_type_behind(in, word, dtype);
    return dtype;
  }
  const Token at = in.peek();
  if (at.kind == Token::number &&
      at.raw.find_first_not_of("0123456789", at.raw[0] == '-' ? 1 : 0) == std::string_view::npos)
    return read_integer(in, "an integer");
  const std::string text = number_text(in, "a value");
  const std::optional<double> v = read_number<double>(text);
  if (!v) in.fail(at, "expected a number that fits in 64 bits, found \"" + text + "\"");
  return *v;
}

}  // namespace oxbow::internal::text
