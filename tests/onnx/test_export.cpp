// Graphs to ONNX files and back: the same values, names and free axes. What ONNX's checker and ONNX Runtime say of such
// files is recorded in tools/docs/onnx.md; here they are read again.
#include <oxbow/graph/op.h>
#include <oxbow/onnx.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "conformance.h"
#include "support/has.h"
#include "support/message.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_export)

using namespace oxbow;
using namespace oxbow::test;

namespace {

using Feeds = std::map<std::string, Tensor>;

// The values of y before and after, which differ by rounding at most.
void comes_back(const std::string& what, Value y, Feeds feeds, double tolerance = 1e-5) {
  const TemporaryFolder folder;
  Store store(y.graph());
  const Tensor before = compile({y}, {.mode = Mode::inference}).run(store, feeds)[0];
  export_onnx(folder / "net.onnx", {{"result", y}}, store);
  Graph g;
  const OnnxModel net = import_onnx(g, folder / "net.onnx");
  Store again = net.store;
  const Tensor after = compile({net.outputs["result"]}, {.mode = Mode::inference}).run(again, feeds)[0];
  BOOST_TEST_CONTEXT(what) {
    BOOST_REQUIRE(after.type() == before.type());
    dispatch(before.dtype(), [&]<class T>(std::type_identity<T>) {
      for (std::int64_t i = 0; i < before.count(); ++i) {
        const auto a = static_cast<double>(static_cast<float>(before.data<T>()[i]));
        const auto b = static_cast<double>(static_cast<float>(after.data<T>()[i]));
        BOOST_TEST(std::abs(a - b) <= tolerance * std::max(1.0, std::abs(a)));
      }
    });
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(layers_come_back_at_any_size) {
  {
    Graph g;
    const Value x = input(g, "x", f32, {any(2), 6});
    comes_back("mlp", softmax(dense(dropout(dense(x, 8, {.activation = gelu}), 0.3), 3)),
               {{"x", draw({5, 6}, -1, 1, 1, f32)}});
  }
  {
    Graph g;
    const Value x = input(g, "x", f32, {any(2), 9, 9, 3});
    const Sequential net{Conv2D(8, {.activation = relu}), BatchNorm(), MaxPool2D(), Conv2D(4, {.stride = 2})};
    comes_back("images", net(x), {{"x", draw({3, 9, 9, 3}, -1, 1, 1, f32)}});
  }
  {
    Graph g;
    const Value x = input(g, "tokens", i64, {any(2), 5});
    const Sequential net{Embedding(20, 8), LayerNorm(), Dense(4)};
    comes_back("norms", net(x), {{"tokens", draw({4, 5}, 0, 20, 1, i64)}});
  }
}

BOOST_AUTO_TEST_CASE(shapes_are_computed_there_as_here) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), any(3), 4});
  const Value sizes = shape_of(x),
              rows = reshape(x, concat({constant(g, Tensor::of<std::int64_t>({1}, {-1})), sizes[range(2, 3)]}));
  const Value y = rows - mean(rows, 0, true);
  comes_back("computed shapes", reshape_like(y, x) * broadcast_like(mean(x, {1, 2}), x, {1, 2}),
             {{"x", draw({3, 5, 4}, -1, 1, 1, f32)}});
}

BOOST_AUTO_TEST_CASE(indexing_comes_back) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 6});
  const auto whole = [&](std::initializer_list<std::int64_t> values) {
    return constant(g, Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
  };
  const Value rows = expand_dims(whole({1, -1, 1}), 1), updates = constant(g, draw({3, 6}, -1, 1, 2, f32));
  const Value along = cast(x > 0.0, i64);
  const Value values[] = {pad(x, {{1, 2}}, {.mode = PadMode::reflect, .axes = {1}}),
                          pad(x, {{1, 0}, {0, 2}}, {.mode = PadMode::edge}),
                          pad(x, {{1, -1}}, {.fill = constant(g, 7), .axes = {-1}}),
                          stack({split(x, 3, 1)[2], split(x, {1, 3, 2}, 1)[2]}),
                          split(x, 4, 1)[2],
                          roll(x, 2, 1),
                          roll(x, -1, 0),
                          roll(x, 7, 0),
                          roll(x, -4, 0),
                          flip(x, {0, 1}),
                          slice(x, whole({-1, 1}), whole({-100, 5}), whole({-2, 2})),
                          take_along_axis(x, along, 1),
                          gather_nd(x, rows),
                          scatter_nd(x, rows, updates, ScatterReduction::add),
                          scatter_elements(x, along, x * 2.0, 0, ScatterReduction::mul),
                          scatter_elements(x, slice(along, 1, 0, 1), slice(x, 1, 0, 1), 1),
                          top_k(x, 3, 1, false).values,
                          sort(x, 0, true).values,
                          cast(argsort(x, 1), f32),
                          tril(x, 1)};
  int k = 0;
  for (const Value& v : values)
    comes_back(("value " + std::to_string(k++)).c_str(), v, {{"x", draw({5, 6}, -1, 1, 1, f32)}});
}

BOOST_AUTO_TEST_CASE(branches_and_loops_come_back) {
  {
    Graph g;
    const Value x = input(g, "x", f32, {4}), w = parameter(g, "w", {f32, {4}}, init::normal());
    const Value y = cond(
        mean(x) > 0.0, [&] { return tanh(x * w); }, [&] { return x - w; });
    comes_back("branch", y, {{"x", draw({4}, 0.5, 1, 1, f32)}});
    comes_back("other branch", y, {{"x", draw({4}, -1, -0.5, 1, f32)}});
    comes_back("loop", repeat(5, x, [&](Value v) { return 0.5 * (v + w / v); }), {{"x", draw({4}, 1, 2, 1, f32)}});
  }
  for (const bool reverse : {false, true}) {
    Graph g;
    const Value x = input(g, "x", f32, {6, any(2), 3}), w = parameter(g, "w", {f32, {3, 3}}, init::normal());
    const auto step = [&](const RepeatStep& s) {
      const Value h = tanh(s.slices[0] + matmul(s.carried[0], w));
      return RepeatNext{.carried = {h}, .stacked = {h * 2.0}};
    };
    const RepeatResult done = repeat(6, {x[0]}, step, {.slices = {x}, .reverse = reverse});
    comes_back("recurrence", done.stacked[0] + done.carried[0], {{"x", draw({6, 4, 3}, -1, 1, 1, f32)}});
  }
}

BOOST_AUTO_TEST_CASE(attention_comes_back) {
  for (const bool causal : {false, true})
    for (const std::int64_t kv_heads : {1, 2, 4}) {
      Graph g;
      const Value q = input(g, "q", f32, {any(2), 5, 16}), k = input(g, "k", f32, {any(2), 7, 4 * kv_heads});
      const Value y = scaled_dot_product_attention(q, k, k * 0.5, {.causal = causal, .heads = 4, .kv_heads = kv_heads});
      comes_back("heads side by side", y,
                 {{"q", draw({3, 5, 16}, -1, 1, 1, f32)}, {"k", draw({3, 7, 4 * kv_heads}, -1, 1, 2, f32)}});
    }
  Graph g;
  const Value q = input(g, "q", f32, {2, 4, 5, 8}), k = input(g, "k", f32, {2, 2, 6, 8});
  const Value mask = input(g, "mask", boolean, {5, 6});
  Tensor sees({boolean, {5, 6}});
  for (std::int64_t i = 0; i < 30; ++i) sees.data<bool>()[i] = i % 3 != 0 && i > 11;  // two queries see nothing
  comes_back("heads as axis, and a mask", scaled_dot_product_attention(q, k, k, {.mask = mask}),
             {{"q", draw({2, 4, 5, 8}, -1, 1, 1, f32)}, {"k", draw({2, 2, 6, 8}, -1, 1, 2, f32)}, {"mask", sees}});
}

BOOST_AUTO_TEST_CASE(two_layouts_meet_without_transposing_back_and_forth) {
  // Conv on [n, c, h, w], as an import makes it: transposed, convolved, transposed back; one node in the file.
  const TemporaryFolder folder;
  Graph g;
  const Value x = input(g, "x", f32, {2, 3, 8, 8}), w = parameter(g, "w", {f32, {4, 3, 3, 3}}, init::normal());
  const Value y =
      transpose(conv2d(transpose(x, {0, 2, 3, 1}), transpose(w, {2, 3, 1, 0}), {.padding = 1}), {0, 3, 1, 2});
  Store store(g);
  export_onnx(folder / "net.onnx", {{"y", relu(y)}}, store);
  Graph again;
  const OnnxModel net = import_onnx(again, folder / "net.onnx");
  BOOST_TEST(net.operators.size() == 2U);
  BOOST_TEST(net.operators.at("Conv") == 1);
  comes_back("conv", y, {{"x", draw({2, 3, 8, 8}, -1, 1, 1, f32)}});
}

BOOST_AUTO_TEST_CASE(batch_normalisation_is_one_node) {
  const TemporaryFolder folder;
  for (const bool image : {true, false}) {
    Graph g;
    const Value x = image ? input(g, "x", f32, {any(2), 5, 5, 3}) : input(g, "x", f32, {any(2), 3});
    const Value y = image ? Sequential{Conv2D(4), BatchNorm(), Conv2D(2)}(x) : BatchNorm()(x);
    Store store(g);
    export_onnx(folder / "net.onnx", {{"y", y}}, store);
    Graph again;
    const OnnxModel net = import_onnx(again, folder / "net.onnx");
    BOOST_TEST(net.operators.at("BatchNormalization") == 1);
    BOOST_TEST(net.operators.size() == (image ? 3U : 1U));  // Conv, and a Transpose before and after them
    comes_back("batch norm", y, {{"x", draw(image ? Shape{3, 5, 5, 3} : Shape{3, 3}, -1, 1, 1, f32)}});
  }
}

// A shape that is computed is read as it is written.
BOOST_AUTO_TEST_CASE(what_is_broadcast_does_not_grow) {
  const TemporaryFolder folder;
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 4}), row = input(g, "row", f32, {1, 4});
  Value y = broadcast_like(row, x);
  Store store(g);
  std::vector<NodeId> sizes;
  std::vector<std::unique_ptr<Graph>> graphs;
  for (int times = 0; times < 3; ++times) {
    export_onnx(folder / "net.onnx", {{"y", y}}, store);
    graphs.push_back(std::make_unique<Graph>());
    const OnnxModel net = import_onnx(*graphs.back(), folder / "net.onnx");
    y = net.outputs["y"];
    store = net.store;
    sizes.push_back(graphs.back()->size());
  }
  BOOST_TEST(sizes[1] == sizes[0]);
  BOOST_TEST(sizes[2] == sizes[0]);
}

BOOST_AUTO_TEST_CASE(pools_come_back_with_all_that_they_say) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), any(9), 8, 3}), row = input(g, "row", f32, {2, 3, any(7)}),
              block = input(g, "block", f32, {1, 5, 6, 7, 2});
  const Tensor image = draw({3, 10, 8, 3}, -1, 1, 1, f32), line = draw({2, 3, 8}, -1, 1, 2, f32),
               volume = draw({1, 5, 6, 7, 2}, -1, 1, 3, f32);
  const PerAxis size{3, 2}, stride{2, 1};
  const MaxPoolResult found = max_pool_with_indices(row, {.size = 3, .stride = 2, .data_format = channels_first}),
                      other = max_pool_with_indices(transpose(x, {0, 3, 1, 2}),
                                                    {.size = 2, .padding = 1, .data_format = channels_first}, true);
  const std::pair<Value, const char*> pools[] = {
      {max_pool(x, {.size = size, .stride = stride, .padding = Padding(1, 2, 1, 0)}), "x"},
      {max_pool(x, {.size = 2, .stride = 3, .padding = Padding(0, 1, 1, 1), .ceil_mode = true}), "x"},
      {max_pool(row, {.size = 2, .padding = 1, .ceil_mode = true, .data_format = channels_first}), "row"},
      {max_pool(block, {.size = 2, .padding = 1, .ceil_mode = true}), "block"},
      {max_pool(x, {.size = 3, .stride = 2, .padding = Padding::same}), "x"},
      {max_pool(x, {.size = 2, .stride = 1, .padding = Padding::same_lower, .dilation = {2, 1}}), "x"},
      {max_pool(row, {.size = 2, .stride = 3, .dilation = 2, .data_format = channels_first}), "row"},
      {max_pool(block, {.size = {1, 2, 3}, .stride = {1, 2, 1}, .padding = Padding(0, 0, 1, 0, 1, 2)}), "block"},
      {max_pool(block, {.size = 2, .stride = 2, .padding = Padding::same_lower, .dilation = {1, 1, 2}}), "block"},
      {cast(found.indices, f32) * found.values, "row"},
      {cast(other.indices, f32), "x"},
      {average_pool(x, {.size = size, .stride = stride, .padding = 1}), "x"},
      {average_pool(x, {.size = size, .padding = 1, .count_include_pad = true}), "x"},
      {average_pool(x, {.size = 3, .stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = true}), "x"},
      {average_pool(x, {.size = 3, .ceil_mode = true}), "x"},
      {average_pool(block, {.size = 2, .stride = 1, .padding = Padding::same_lower}), "block"},
      {lp_pool(x, {.p = 3, .size = size, .padding = Padding::same}), "x"},
      {lp_pool(row, {.size = 2, .padding = 1, .data_format = channels_first}), "row"}};
  int k = 0;
  for (const auto& [y, name] : pools)
    comes_back(("pool " + std::to_string(k++)).c_str(), y,
               {{name, name == std::string("x")     ? image
                       : name == std::string("row") ? line
                                                    : volume}});
}

BOOST_AUTO_TEST_CASE(pools_that_files_cannot_say_are_refused) {
  const TemporaryFolder folder;
  Graph g;
  const Value x = input(g, "x", f32, {2, any(9), 8, 3});
  const auto said = [&](const Value& y) {
    Store store(g);
    return message([&] { export_onnx(folder / "net.onnx", {{"y", y}}, store); });
  };
  BOOST_TEST(has(said(max_pool(cast(x, i32))), "not for i32"));
  BOOST_TEST(has(said(max_pool(cast(x, bf16))), "not for bf16"));
  BOOST_TEST(has(said(max_pool(x, {.stride = 2, .padding = Padding::same, .dilation = 2})), "sizes that are open"));
  BOOST_TEST(has(said(max_pool_with_indices(x).indices), "channels first"));
  BOOST_TEST(has(said(average_pool(x, {.dilation = 2})), "dilated windows"));
  BOOST_TEST(has(said(average_pool(cast(x, bf16))), "bf16"));
  BOOST_TEST(has(said(lp_pool(x, {.size = 3, .ceil_mode = true})), "these are sums"));
  BOOST_TEST(folder.file_count() == 0U);
}

BOOST_AUTO_TEST_CASE(convolutions_come_back_however_they_pad) {
  Graph g;
  const Value x = input(g, "x", f32, {2, any(9), 8, 3}), w = parameter(g, "w", {f32, {4, 3, 3, 5}}, init::normal()),
              back = parameter(g, "back", {f32, {4, 3, 5, 3}}, init::normal());
  const Tensor image = draw({2, 10, 8, 3}, -1, 1, 1, f32);
  int k = 0;
  for (const Padding& p : {Padding(Padding::valid), Padding(Padding::same), Padding(Padding::same_lower), Padding(1)})
    for (const PerAxis& stride : {PerAxis(1), PerAxis({2, 3})}) {
      const std::string what = "padding " + std::to_string(k++);
      comes_back(what.c_str(), conv2d(x, w, {.stride = stride, .padding = p}), {{"x", image}});
      comes_back(what.c_str(), conv2d_transpose(x, back, {.stride = stride, .padding = p}), {{"x", image}});
    }
  comes_back("dilated", conv2d(x, w, {.padding = Padding::same_lower, .dilation = {2, 1}}), {{"x", image}});
  const TemporaryFolder folder;
  Store store(g);
  const Value open = conv2d(x, w, {.stride = 2, .dilation = 2});
  BOOST_TEST(has(message([&] { export_onnx(folder / "net.onnx", {{"y", open}}, store); }), "sizes that are open"));
}

BOOST_AUTO_TEST_CASE(names_and_free_axes_are_kept) {
  const TemporaryFolder folder;
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 4}), y = input(g, "y", f32, {any(2), 4});
  const Value w = parameter(g, "w", {f32, {4, 4}}, init::normal());
  const Value sum = x + y, product = matmul(sum, w);
  Store store(g);
  export_onnx(folder / "net.onnx", {{"sum", sum}, {"again", sum}, {"out", product}, {"first", x}}, store);
  Graph other;
  const OnnxModel net = import_onnx(other, folder / "net.onnx");
  std::vector<std::string> names;
  for (const auto& [name, value] : net.inputs) names.push_back(name);
  for (const auto& [name, value] : net.outputs) names.push_back(name);
  BOOST_TEST(names == (std::vector<std::string>{"x", "y", "sum", "again", "out", "first"}),
             boost::test_tools::per_element());
  BOOST_TEST(net.inputs["x"].node().op().as<ops::Input>()->is_free(0));
  BOOST_TEST(!net.inputs["x"].node().op().as<ops::Input>()->is_free(1));
  BOOST_TEST(same_bits(net.store.get("w"), store.get("w")));
}

BOOST_AUTO_TEST_CASE(parameters_may_lie_beside_the_model) {
  const TemporaryFolder folder;
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 33}), y = dense(dense(x, 47), 3);
  Store store(g);
  export_onnx(folder / "net.onnx", {{"y", y}}, store, {.data_beside = true});
  BOOST_TEST(std::filesystem::file_size(folder / "net.onnx") < 2000U);
  const auto data = [&] {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "."))
      if (entry.path().extension() == ".data") files.push_back(entry.path().string());
    return files;
  };
  const auto reads_back = [&](const Store& written) {
    Graph again;
    const OnnxModel net = import_onnx(again, folder / "net.onnx");
    for (const auto& [name, value] : net.parameters)
      BOOST_TEST(same_bits(net.store.get(name), written.get(name)), name);
  };
  const std::vector<std::string> first = data();
  BOOST_REQUIRE(first.size() == 1u);
  BOOST_TEST(std::filesystem::file_size(first[0]) == 6208U);  // 33 * 47 floats, up to 64 bytes
  reads_back(store);
  // Other parameters go to another file: killed before the model is replaced, it would still read its own.
  const Store old = store.snapshot();
  Tensor kernel = store.get("dense/kernel").clone();
  kernel.data<float>()[0] += 1;
  store.set("dense/kernel", kernel);
  const std::string model = folder.read("net.onnx"),
                    bytes = folder.read(std::filesystem::path(first[0]).filename().string());
  export_onnx(folder / "net.onnx", {{"y", y}}, store, {.data_beside = true});
  BOOST_REQUIRE(data().size() == 1u);
  BOOST_TEST(data()[0] != first[0]);
  reads_back(store);
  folder.write("net.onnx", model);
  folder.write(std::filesystem::path(first[0]).filename().string(), bytes);
  reads_back(old);
}

BOOST_AUTO_TEST_CASE(what_onnx_lacks_is_named) {
  const TemporaryFolder folder;
  Graph g;
  const Value x = input(g, "x", f32, {4});
  const std::string said = message([&] {
    Store store(g);
    export_onnx(folder / "net.onnx", {{"y", require_finite(sum(x), "x", "mend it").named("guard")}}, store);
  });
  BOOST_TEST(has(said, "require_finite of guard"), said);
  BOOST_TEST(folder.file_count() == 0U);
  Store store(g);
  BOOST_TEST(has(message([&] { export_onnx(folder / "net.onnx", {}, store); }), "there are no outputs"));
  BOOST_TEST(has(message([&] { export_onnx(folder / "net.onnx", {{"y", x}, {"y", x}}, store); }), "a name of its own"));
}

BOOST_AUTO_TEST_CASE(recurrences_come_back) {
  for (const bool reverse : {false, true})
    for (const bool bias : {false, true})
      for (const bool lengths : {false, true}) {
        Graph g;
        const Value x = input(g, "x", f32, {any(2), 5, 3}), n = input(g, "n", i64, {any(2)});
        const RecurrentOptions options{.reverse = reverse, .use_bias = bias};
        RecurrentOptions before = options, relus = options;
        before.reset_after = false;
        relus.activation = relu;
        for (const Recurrent& layer : std::vector<Recurrent>{LSTM(3, options), GRU(3, options), GRU(3, before),
                                                             SimpleRNN(3, options), SimpleRNN(3, relus)}) {
          const RecurrentResult r = layer.run(x, {.lengths = lengths ? n : Value()});
          const Value y = concat({reshape(r.sequence, {0, -1}), r.state[0], r.state.back()}, 1);
          Feeds feeds{{"x", draw({3, 5, 3}, -1, 1, 1, f32)}};
          if (lengths) feeds.insert({"n", Tensor::of<std::int64_t>({3}, {5, 2, 1})});
          comes_back(std::string(layer.kind()) + (reverse ? ", reversed" : ", forward"), y, feeds);
        }
      }
  // What comes in is no product: looked up in a table.
  Graph g;
  const Value ids = input(g, "ids", i64, {4, 6});
  const Sequential net{Embedding(5, 3), LSTM(2, {.return_sequences = true})};
  comes_back("embedded", net(ids), {{"ids", Tensor({i64, {4, 6}})}});
}

// Brought in, it is one node again; and going to and fro adds nothing.
BOOST_AUTO_TEST_CASE(a_recurrence_stays_one) {
  const TemporaryFolder folder;
  const auto counted = [](const Graph& g) {
    std::map<std::string, int> ops;
    for (NodeId i = 0; i < g.size(); ++i) ++ops[std::string(g.node(i).op().name())];
    return ops;
  };
  for (const Recurrent& layer : std::vector<Recurrent>{LSTM(3), GRU(3), GRU(3, {.reset_after = false}), SimpleRNN(3)}) {
    Graph g;
    const Value y = layer.run(input(g, "x", f32, {any(2), any(5), 3})).sequence;
    const std::string op(y.node().input(0).node().op().name());
    Store store(g);
    export_onnx(folder / "net.onnx", {{"y", y}}, store);
    std::map<std::string, int> before;
    for (int times = 0; times < 3; ++times) {
      Graph again;
      const OnnxModel net = import_onnx(again, folder / "net.onnx");
      const std::map<std::string, int> now = counted(again);
      BOOST_TEST(now.at(op) == 1, op);
      BOOST_TEST(!now.contains("repeat"), op);
      for (const char* around : {"add", "concat", "gather", "matmul", "squeeze", "transpose"})
        if (times > 0 && now.contains(around)) BOOST_TEST(now.at(around) == before[around], op << ", " << around);
      before = now;
      Store held = net.store;
      export_onnx(folder / "net.onnx", {{"y", net.outputs["y"]}}, held);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
