// A trained model as one file: predicts the same bits without building code, in several threads, for any batch size;
// and what is no such file is refused.
// Labels: threads.
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>
#include <thread>

#include "support/message.h"
#include "support/points.h"
#include "support/says.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_saved_model)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// All that is in training only: dropout, running statistics, normalised inputs, labels.
struct Kept {
  Table table = parse_csv("a,s,kind\n1,x,no\n2,y,yes\n3,x,no\n4,y,yes\n5,x,no\n6,x,yes\n");
  TableEncoder encode{table, {.inputs = {"a", "s"}, .target = "kind"}};
  Dataset data = encode(table);
  Graph g;
  Model model = build();
  Model build() {
    const Value x = input(g, "x", f32, {any(4), encode.width()}), y = input(g, "y", i64, {any(4)});
    const Value h =
        Sequential{Normalization(data["x"]), Dense(8, {.activation = relu}), BatchNorm(), Dropout(0.5), Dense(2)}(x);
    return compile(cross_entropy(h, y), optim::Adam{.learning_rate = 0.02},
                   {.minimize = {.average = optim::EMA{.decay = 0.5}}, .predictions = softmax(h)});
  }
  explicit Kept(int epochs = 3) { model.fit(data, {.epochs = epochs, .batch_size = 3}); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(predictions_are_a_table_named_by_what_was_learned) {
  const TemporaryFolder folder;
  Kept kept;
  kept.model.export_model(folder / "kinds.oxb", kept.encode);
  kept.model.export_model(folder / "numbers.oxb");
  const Tensor p = Tensor::of<float>({3, 2}, {0.25, 0.75, 0.6f, 0.4f, 0.5, 0.5});
  BOOST_TEST(to_csv(load_model(folder / "kinds.oxb").table(p)) ==
             "kind,kind=no,kind=yes\nyes,0.25,0.75\nno,0.6,0.4\nno,0.5,0.5\n");
  BOOST_TEST(to_csv(load_model(folder / "numbers.oxb").table(p)) ==
             "prediction_0,prediction_1\n0.25,0.75\n0.6,0.4\n0.5,0.5\n");
  BOOST_TEST(to_csv(load_model(folder / "numbers.oxb").table(Tensor::of<float>({2}, {1, 2.5}))) ==
             "prediction\n1\n2.5\n");
  says([&] { load_model(folder / "numbers.oxb").table(Tensor::of<float>({}, {1})); }, "the predictions are a scalar");
}

BOOST_AUTO_TEST_CASE(a_model_predicts_the_same_from_its_file) {
  const TemporaryFolder folder;
  for (const int epochs : {0, 3}) {
    Kept kept(epochs);
    kept.model.export_model(folder / "net.oxb", kept.encode);
    const SavedModel served = load_model(folder / "net.oxb");
    const Tensor expected = kept.model.predict(kept.data);
    BOOST_TEST(same_bits(served.predict(kept.data), expected));
    BOOST_TEST(same_bits(served.predict(kept.table), expected));
    BOOST_TEST(same_bits(served.predict(kept.data["x"]), expected));
    BOOST_TEST(same_bits(served.predict(kept.data, 1), kept.model.predict(kept.data, 1)));
    BOOST_TEST(served.labels() == (std::vector<std::string>{"no", "yes"}), boost::test_tools::per_element());
    BOOST_TEST(served.inputs().size() == 1U);
    BOOST_TEST(to_string(served.output()) == "f32[4, 2]");
    for (const Value& v : variables(served.graph(), false))
      BOOST_TEST(variable_of(v).name.find("optimizer") == std::string::npos);
    kept.model.export_model(folder / "again.oxb", kept.encode);
    BOOST_TEST(folder.read("again.oxb") == folder.read("net.oxb"));
  }
}

BOOST_AUTO_TEST_CASE(threads_share_a_model) {
  const TemporaryFolder folder;
  Kept kept;
  kept.model.export_model(folder / "net.oxb");
  const SavedModel served = load_model(folder / "net.oxb");
  const Tensor expected = kept.model.predict(kept.data, 2);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) wrong += !same_bits(served.predict(kept.data, 2), expected);
    });
  Session own = served.session();
  own.feed("x", kept.data["x"]);
  own.run();
  BOOST_TEST(same_bits(own.fetch_tensor(0), kept.model.predict(kept.data)));
  for (std::thread& t : threads) t.join();
  BOOST_TEST(wrong == 0);
  says([&] { served.predict(kept.table); }, "the model does not say which columns of a table it reads");
  says([&] { served.predict(draw({3, 4}, 0, 1, 1, f32)); }, "column \"x\" is f32[3, 4], but does not fit input \"x\"");
  BOOST_TEST(same_bits(served.predict(kept.data, 2), expected));
}

BOOST_AUTO_TEST_CASE(what_is_no_model_is_refused) {
  const TemporaryFolder folder;
  Kept kept;
  const std::string path = folder / "net.oxb";
  kept.model.save(path);
  says([&] { load_model(path); }, path + " is no exported model: it holds tensors alone");
  kept.model.export_model(path, kept.encode);
  const Safetensors good = load_safetensors(path);
  const auto refused = [&](auto&& change, const std::string& said) {
    Safetensors bad = good;
    change(bad);
    save_safetensors(path, bad);
    says([&] { load_model(path); }, said);
  };
  refused([](Safetensors& s) { s.metadata["oxbow.model"] = "2"; }, "it is of version \"2\", and this Oxbow reads 1");
  refused([](Safetensors& s) { s.metadata.erase("graph"); }, "it has no graph");
  refused([](Safetensors& s) { s.metadata["graph"] = "oxbow graph 1\n"; }, path + ":");
  refused([](Safetensors& s) { s.metadata["graph"] = print(Graph()); }, "its graph has no predictions");
  refused([](Safetensors& s) { s.metadata["columns"] = "{"; }, "cannot read ");
  refused([](Safetensors& s) { s.tensors.pop_back(); }, "it lacks the variable ");
  refused([](Safetensors& s) { s.tensors[0].second = Tensor({f32, {7}}); }, " is f32[7], but ");
  std::string bytes = folder.read("net.oxb");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  folder.write("net.oxb", bytes);
  says([&] { load_model(path); }, "It was damaged");
  const Net net;
  says([&] { compile(net.loss, "sgd").export_model(path); },
       "export_model: the model was compiled without predictions");
}

BOOST_AUTO_TEST_SUITE_END()
