// Types and attribute values, read from a graph's text. Part of the parser's implementation; for one thread.
#pragma once

#include <oxbow/graph/attribute.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/text/lexer.h>

#include <functional>

namespace oxbow::internal::text {

/// "f32[2, 3]", "f32[784, 256]{panel 64}". Throws `Error` with the place, as all here do.
Type read_type(Lexer& in);
/// "f32[2], i32[]", or "none".
std::vector<Type> read_types(Lexer& in);
/// A whole number that fits in 64 bits; `what` names it in messages: "a size".
std::int64_t read_integer(Lexer& in, std::string_view what);
/// Reads a graph among attributes that nest so deep, from its opening brace on.
using ReadGraph = std::function<std::shared_ptr<const Graph>(int depth)>;
/// Without a `read_graph` there can be no graph.
AttrValue read_value(Lexer& in, int depth = 0, const ReadGraph& read_graph = {});
/// "{key: value, ...}"; the opening brace is still to come. `where` gets each key's place.
AttrRecord read_record(Lexer& in, int depth = 0, std::vector<Token>* where = nullptr, const ReadGraph& read_graph = {});

}  // namespace oxbow::internal::text
