// Ops whose texts hold all that a text can hold, and a catalogue of them and the leaves.
#pragma once

#include <oxbow/graph/catalog.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/initial_value.h>
#include <oxbow/graph/tensor.h>

namespace oxbow::test {

// An op with an attribute of every kind and two outputs.
struct Kinds {
  static constexpr OpInfo info{.name = "kinds", .inputs = {"x..."}, .outputs = {"y", "typed"}, .any_layout = true};
  bool flag = true;
  std::int64_t whole = -7;
  double real = 0.1;
  std::string words = "a \"quoted\" \\ word\n\x01 \xc3\xa9";
  DType dtype = u8;
  Type type{i64, {2, 0}, {16}};
  Tensor tensor = Tensor::scalar(1.5f);
  std::vector<std::int64_t> axes{0, -1};
  Init record{.kind = Init::Kind::normal, .a = -0.0, .b = 1e300, .seed = ~std::uint64_t{0}, .stream = 3};
  static void attributes(auto&& visit) {
    visit("flag", &Kinds::flag);
    visit("whole", &Kinds::whole);
    visit("real", &Kinds::real);
    visit("words", &Kinds::words);
    visit("dtype", &Kinds::dtype);
    visit("type", &Kinds::type);
    visit("tensor", &Kinds::tensor);
    visit("axes", &Kinds::axes);
    visit("record", &Kinds::record);
  }
  std::vector<Type> infer(Types) const { return {{f32, {2}}, type}; }
  void run(const Run&) const {}
  bool operator==(const Kinds& o) const {
    return same_bits(AttrValue(attributes_of(*this)), AttrValue(attributes_of(o)));
  }
};

// y = x + x as far as types go: refuses anything but f32.
struct Twice {
  static constexpr OpInfo info{.name = "twice", .inputs = {"x"}};
  std::int64_t by = 2;
  static void attributes(auto&& visit) { visit("by", &Twice::by); }
  Type infer(Types in) const {
    if (in[0].dtype != f32) throw OpError("x is " + to_string(in[0]), "Cast it to f32");
    return in[0];
  }
  void run(const Run&) const {}
  bool operator==(const Twice&) const = default;
};

inline Catalog text_catalog() {
  Catalog c = Catalog::leaves();
  c.add<Kinds>().add<Twice>();
  return c;
}

}  // namespace oxbow::test
