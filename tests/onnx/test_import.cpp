// What an import makes of names, shapes, parameters and layers, and what it refuses.
#include <oxbow/graph/known.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/text.h>
#include <oxbow/onnx.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/optimizers/sgd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>

#include "make_model.h"
#include "support/has.h"
#include "support/message.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_import)

using namespace oxbow;
using namespace oxbow::test;

namespace {

Tensor ramp(const Shape& shape, float step = 0.125f) {
  Tensor t({f32, shape});
  for (std::int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = step * static_cast<float>(i % 17 - 8);
  return t;
}

// Two layers with names as PyTorch gives them, over a batch of any size.
MakeModel mlp() {
  MakeModel m;
  m.input("x", {"batch", "4"}).output("logits");
  m.initialiser("body.weight", ramp({8, 4})).initialiser("body.bias", ramp({8}));
  m.initialiser("head.weight", ramp({3, 8})).initialiser("head.bias", ramp({3}));
  const auto layer = [&](const std::string& name, const std::string& from, const std::string& to) {
    auto& a = *m.node("Gemm", {from, name + ".weight", name + ".bias"}, {to}, "/" + name + "/Gemm").add_attribute();
    a.set_name("transB");
    a.set_type(onnx_schema::AttributeProto::INT);
    a.set_i(1);
  };
  layer("body", "x", "h");
  m.node("Relu", {"h"}, {"r"}, "/Relu");
  layer("head", "r", "logits");
  return m;
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_scopes_and_free_axes_are_kept) {
  const TemporaryFolder folder;
  Graph g;
  const OnnxModel net = import_onnx(g, mlp().write(folder / "net.onnx"), {.train = {"head.*"}});
  BOOST_TEST(net.inputs.size() == 1);
  const auto& x = *net.inputs["x"].node().op().as<ops::Input>();
  BOOST_TEST(x.name == "x");
  BOOST_TEST(x.is_free(0));
  BOOST_TEST(!x.is_free(1));
  BOOST_TEST(g.find("body/Gemm").has_value());
  BOOST_TEST(g.find("Relu").has_value());
  BOOST_TEST((net.outputs["logits"].node() == *g.find("head/Gemm")));
  std::vector<std::string> trained;
  for (const Value& v : variables(g)) trained.push_back(variable_of(v).name);
  BOOST_TEST(trained == (std::vector<std::string>{"head.weight", "head.bias"}), boost::test_tools::per_element());
  BOOST_TEST(net.parameters.size() == 4);
  BOOST_TEST(same_bits(net.store.get("body.weight"), ramp({8, 4})));
  BOOST_TEST(net.operators.at("Gemm") == 2);
  const Program p = compile({net.outputs[0]}, {.mode = Mode::inference});
  Store store = net.store;
  BOOST_TEST((p.run(store, {{"x", ramp({5, 4})}})[0].shape() == Shape{5, 3}));
}

BOOST_AUTO_TEST_CASE(an_import_is_fine_tuned_in_ten_lines) {
  const TemporaryFolder folder;
  const std::string file = mlp().write(folder / "net.onnx");
  Graph g;
  OnnxModel net = import_onnx(g, file, {.train = {"head.*"}});
  Value label = input(g, "label", i64, {any(2)});
  Model model = compile(cross_entropy(net.outputs["logits"], label), optim::SGD{.learning_rate = 0.5},
                        {.predictions = net.outputs["logits"], .store = net.store});
  const Tensor x = ramp({12, 4}, 0.3f);
  Tensor labels({i64, {12}});
  for (std::int64_t i = 0; i < 12; ++i) labels.data<std::int64_t>()[i] = i % 3;
  const Dataset data({{"x", x}, {"label", labels}});
  const double before = model.evaluate(data)["loss"];
  model.fit(data, {.epochs = 20, .batch_size = 4});
  BOOST_TEST(model.evaluate(data)["loss"] < before);
  BOOST_TEST(same_bits(model.store().get("body.weight"), ramp({8, 4})));
  BOOST_TEST(!same_bits(model.store().get("head.weight"), ramp({3, 8})));

  export_onnx(folder / "tuned.onnx", net.outputs, model.store());
  Graph again;
  const OnnxModel tuned = import_onnx(again, folder / "tuned.onnx");
  BOOST_TEST(same_bits(tuned.store.get("head.weight"), model.store().get("head.weight")));
  Store store = tuned.store;
  const Tensor y = compile({tuned.outputs["logits"]}).run(store, {{"x", x}})[0];
  BOOST_TEST(same_bits(y, model.predict(data)));
}

BOOST_AUTO_TEST_CASE(sizes_of_free_axes_are_computed) {
  // y = reshape(x, [shape(x)[0], -1])
  MakeModel m;
  m.input("x", {"n", "3", "5"}).output("y");
  m.initialiser("zero", Tensor::scalar<std::int64_t>(0)).initialiser("rest", Tensor::of<std::int64_t>({1}, {-1}));
  m.initialiser("axes", Tensor::of<std::int64_t>({1}, {0}));
  m.node("Shape", {"x"}, {"shape"});
  m.node("Gather", {"shape", "zero"}, {"n"});
  m.node("Unsqueeze", {"n", "axes"}, {"rows"});
  m.node("Concat", {"rows", "rest"}, {"to"}).add_attribute()->set_name("axis");
  m.node("Reshape", {"x", "to"}, {"y"});
  auto& axis = *m.model.mutable_graph()->mutable_node(3)->mutable_attribute(0);
  axis.set_type(onnx_schema::AttributeProto::INT);
  axis.set_i(0);
  const TemporaryFolder folder;
  Graph g;
  const OnnxModel net = import_onnx(g, m.write(folder / "net.onnx"));
  BOOST_TEST((net.outputs[0].shape() == Shape{2, 15}));
  Store store;
  BOOST_TEST((compile({net.outputs[0]}).run(store, {{"x", ramp({7, 3, 5})}})[0].shape() == Shape{7, 15}));
  Graph other;
  BOOST_TEST((import_onnx(other, folder / "net.onnx", {.sizes = {{"n", 9}}}).outputs[0].shape() == Shape{9, 15}));
}

BOOST_AUTO_TEST_CASE(batch_normalisation_gets_its_training_form_back) {
  MakeModel m;
  m.input("x", {"n", "3", "4", "4"}).output("y");
  for (const char* name : {"scale", "offset", "mean"}) m.initialiser(name, ramp({3}));
  m.initialiser("variance", Tensor::of<float>({3}, {1, 2, 3}));
  m.node("BatchNormalization", {"x", "scale", "offset", "mean", "variance"}, {"y"}, "/bn");
  const TemporaryFolder folder;
  const std::string file = m.write(folder / "net.onnx");
  {
    Graph g;
    const OnnxModel net = import_onnx(g, file);
    BOOST_TEST(g.updates().empty());  // frozen
  }
  Graph g;
  const OnnxModel net = import_onnx(g, file, {.train = {"*"}});
  BOOST_TEST(g.updates().size() == 2);
  BOOST_TEST(variables(g).size() == 2U);  // scale and offset
  Model model = compile(mean(square(net.outputs[0])), optim::SGD{.learning_rate = 0.1}, {.store = net.store});
  model.fit(Dataset({{"x", ramp({8, 3, 4, 4})}}), {.epochs = 1, .batch_size = 4});
  BOOST_TEST(!same_bits(model.store().get("mean"), ramp({3})));
}

BOOST_AUTO_TEST_CASE(scalars_and_whole_numbers_are_trained_only_by_name) {
  MakeModel m;
  m.input("x", {"4"}).output("y");
  m.initialiser("scale", Tensor::scalar(2.0f)).initialiser("w", ramp({4}));
  m.initialiser("axes", Tensor::of<std::int64_t>({1}, {0}));
  m.node("Mul", {"x", "scale"}, {"a"});
  m.node("Mul", {"a", "w"}, {"b"});
  m.node("Unsqueeze", {"b", "axes"}, {"y"});
  const TemporaryFolder folder;
  const std::string file = m.write(folder / "net.onnx");
  const auto trained = [&](const std::vector<std::string>& patterns) {
    Graph g;
    import_onnx(g, file, {.train = patterns});
    std::vector<std::string> names;
    for (const Value& v : variables(g)) names.push_back(variable_of(v).name);
    return names;
  };
  BOOST_TEST(trained({"*"}) == std::vector<std::string>{"w"}, boost::test_tools::per_element());
  BOOST_TEST(trained({"scale"}) == std::vector<std::string>{"scale"}, boost::test_tools::per_element());
  Graph g;
  BOOST_TEST(has(message([&] { import_onnx(g, file, {.train = {"axes"}}); }), "no parameter is called \"axes\""));
}

// What a step reads it need not transpose; a file gets it back as ONNX has it, under its name.
BOOST_AUTO_TEST_CASE(kernels_are_as_convolutions_read_them) {
  MakeModel m;
  m.input("x", {"n", "2", "4", "5"}).output("y").output("size", i64);
  const Tensor kernel = ramp({3, 2, 2, 1});
  m.initialiser("w", kernel);
  m.node("Conv", {"x", "w"}, {"y"}, "/conv");
  m.node("Shape", {"w"}, {"size"});
  const TemporaryFolder folder;
  Graph g;
  const OnnxModel net = import_onnx(g, m.write(folder / "net.onnx"), {.train = {"w"}});
  BOOST_TEST((net.parameters["w"].shape() == Shape{2, 1, 2, 3}));
  const Tensor stored = net.store.get("w");
  for (std::int64_t k = 0; k < 3; ++k)
    for (std::int64_t c = 0; c < 2; ++c)
      for (std::int64_t row = 0; row < 2; ++row)
        BOOST_TEST(stored.data<float>()[(row * 2 + c) * 3 + k] == kernel.data<float>()[(k * 2 + c) * 2 + row]);
  Store store = net.store;
  const std::vector<Tensor> got =
      compile({net.outputs["y"], net.outputs["size"]}).run(store, {{"x", ramp({1, 2, 4, 5})}});
  BOOST_TEST((got[0].shape() == Shape{1, 3, 3, 5}));
  BOOST_TEST(same_bits(got[1], Tensor::of<std::int64_t>({4}, {3, 2, 2, 1})));

  export_onnx(folder / "again.onnx", {{"y", net.outputs["y"]}}, net.store);
  const onnx::ModelFile file(folder / "again.onnx");
  const auto& graph = file.model().graph();
  BOOST_TEST(graph.node_size() == 1);
  BOOST_TEST(graph.initializer(0).name() == "w");
  BOOST_TEST(same_bits(file.tensor(graph.initializer(0)), kernel));
}

BOOST_AUTO_TEST_CASE(what_is_lacking_is_named_with_its_nodes_all_at_once) {
  MakeModel m;
  m.input("x", {"4"}).output("z");
  m.node("NoSuch", {"x"}, {"y"}, "/a/NoSuch");
  m.node("Neither", {"y"}, {"z"});
  const TemporaryFolder folder;
  Graph g;
  const std::string said = message([&] { import_onnx(g, m.write(folder / "net.onnx")); });
  BOOST_TEST(has(said, "node \"/a/NoSuch\" (NoSuch) of opset 17"));
  BOOST_TEST(has(said, "the node of \"z\" (Neither)"));
  BOOST_TEST(g.size() == 0);
}

BOOST_AUTO_TEST_CASE(a_refused_node_is_named) {
  MakeModel m;
  m.input("x", {"4"}).input("w", {"3"}).output("y");
  m.node("Add", {"x", "w"}, {"y"}, "/sum");
  const TemporaryFolder folder;
  Graph g;
  const std::string said = message([&] { import_onnx(g, m.write(folder / "net.onnx")); });
  BOOST_TEST(has(said, "net.onnx: node \"/sum\" (Add): add: "));
  BOOST_TEST(g.size() == 0);
  BOOST_TEST(has(message([&] { import_onnx(g, folder / "net.onnx", {.train = {"x"}}); }), "cannot import"));
}

BOOST_AUTO_TEST_CASE(patterns_and_sizes_that_match_nothing_are_refused) {
  const TemporaryFolder folder;
  const std::string file = mlp().write(folder / "net.onnx");
  Graph g;
  BOOST_TEST(has(message([&] { import_onnx(g, file, {.train = {"haed.*"}}); }), "no parameter is called \"haed.*\""));
  BOOST_TEST(has(message([&] {
                   import_onnx(g, file, {.sizes = {{"bach", 3}}});
                 }),
                 "no axis of an input is called \"bach\""));
  BOOST_TEST(g.size() == 0);
}

BOOST_AUTO_TEST_CASE(functions_of_the_model_are_written_out) {
  MakeModel m;
  m.input("x", {"4"}).output("y");
  m.model.add_opset_import()->set_domain("own");
  auto& f = *m.model.add_functions();
  f.set_domain("own");
  f.set_name("Twice");
  f.add_input("a");
  f.add_output("b");
  f.add_opset_import()->set_version(17);
  auto& add = *f.add_node();
  add.set_op_type("Add");
  add.add_input("a");
  add.add_input("a");
  add.add_output("b");
  m.node("Twice", {"x"}, {"h"}, "/first").set_domain("own");
  m.node("Twice", {"h"}, {"y"}, "/second").set_domain("own");
  const TemporaryFolder folder;
  Graph g;
  const OnnxModel net = import_onnx(g, m.write(folder / "net.onnx"));
  Store store;
  BOOST_TEST(same_bits(compile({net.outputs[0]}).run(store, {{"x", ramp({4})}})[0], ramp({4}, 0.5f)));

  add.set_op_type("Twice");  // calls itself
  add.set_domain("own");
  add.mutable_input()->RemoveLast();
  Graph other;
  BOOST_TEST(has(message([&] { import_onnx(other, m.write(folder / "net.onnx")); }), "in a circle"));
}

// One query of two keys, whose scores 0 and log 3 are turned round: shares of 3/4 and 1/4, which are doubled.
BOOST_AUTO_TEST_CASE(attention_goes_through_graphs_of_the_model) {
  MakeModel m;
  m.input("q", {"1", "1", "1", "1"}).input("k", {"1", "1", "2", "1"}).input("v", {"1", "1", "2", "1"}).output("y");
  m.model.add_opset_import()->set_domain("ai.onnx.preview");
  m.model.mutable_opset_import(1)->set_version(1);
  auto& node = m.node("FlexAttention", {"q", "k", "v"}, {"y"});
  node.set_domain("ai.onnx.preview");
  const auto body = [&](const std::string& name, const std::string& op, int inputs) {
    auto& inner = *MakeModel::body(node, name, {name + "_in"}, {name + "_out"}).add_node();
    inner.set_op_type(op);
    for (int i = 0; i < inputs; ++i) inner.add_input(name + "_in");
    inner.add_output(name + "_out");
  };
  body("score_mod", "Neg", 1);
  body("prob_mod", "Add", 2);
  const TemporaryFolder folder;
  Graph g;
  const OnnxModel net = import_onnx(g, m.write(folder / "net.onnx"));
  Store store;
  const Shape two{1, 1, 2, 1};
  const Tensor y = compile({net.outputs[0]})
                       .run(store, {{"q", Tensor::of<float>({1, 1, 1, 1}, {1})},
                                    {"k", Tensor::of<float>(two, {0, 1.0986123f})},
                                    {"v", Tensor::of<float>(two, {2, 4})}})[0];
  BOOST_TEST(std::abs(y.data<float>()[0] - 5) < 1e-6);
}

BOOST_AUTO_TEST_CASE(tensors_in_other_files_lie_beside_the_model) {
  const Tensor w = ramp({4});
  const auto model = [&](const std::string& location, std::int64_t offset) {
    MakeModel m;
    m.input("x", {"4"}).output("y");
    auto& t = *m.model.mutable_graph()->add_initializer();
    t.set_name("w");
    t.set_data_type(1);
    t.add_dims(4);
    t.set_data_location(onnx_schema::TensorProto::EXTERNAL);
    for (const auto& [key, value] :
         {std::pair<std::string, std::string>{"location", location}, {"offset", std::to_string(offset)}}) {
      auto& entry = *t.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    m.node("Add", {"x", "w"}, {"y"});
    return m;
  };
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "models");
  const std::string bytes(reinterpret_cast<const char*>(w.bytes()), 16);
  folder.write("models/w.bin", "odd" + bytes);
  folder.write("secret", bytes);
  std::filesystem::create_symlink(folder / "secret", folder / "models/link");
  const auto refused = [&](const std::string& location, std::int64_t offset = 0) {
    Graph g;
    return message([&] { import_onnx(g, model(location, offset).write(folder / "models/net.onnx")); });
  };
  Graph g;
  const OnnxModel net = import_onnx(g, model("w.bin", 3).write(folder / "models/net.onnx"));
  BOOST_TEST(same_bits(net.store.get("w"), w));
  BOOST_TEST(has(refused("../secret"), "leads out of the model's folder"));
  BOOST_TEST(has(refused(folder / "secret"), "is not relative to the model's folder"));
  BOOST_TEST(has(refused("link"), "leads out of the model's folder by a link"));
  BOOST_TEST(has(refused("w.bin", 4), "but that has only 19"));
  BOOST_TEST(has(refused("w.bin", std::numeric_limits<std::int64_t>::max()), "but that has only 19"));
  BOOST_TEST(has(refused("none"), "cannot be read"));
  BOOST_TEST(has(refused("."), "not a regular file"));
}

BOOST_AUTO_TEST_SUITE_END()
