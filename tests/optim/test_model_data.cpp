// Model and data: predictions, and what is said about data, files and options that do not fit.
// Labels: memory.
#include <oxbow/graph/tensor.h>
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/mean.h"
#include "support/message.h"
#include "support/points.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_model_data)

using namespace oxbow;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(files_of_another_model_are_refused_whole) {
  const TemporaryFolder folder;
  const Mean mean;
  Model model = compile(mean.loss, "sgd");
  model.store().set("w", Tensor::scalar(3.0));
  const std::string path = folder / "w.safetensors";
  const auto refuse = [&](std::vector<std::pair<std::string, Tensor>> tensors) {
    save_safetensors(path, {std::move(tensors), {}});
    return message([&] { model.load(path); });
  };
  const std::string start = path + " does not fit the model: ", end = " Nothing was changed";
  BOOST_TEST(refuse({}) == start + "it lacks \"w\"." + end);
  BOOST_TEST(refuse({{"w", Tensor::scalar(1.0)}, {"optimizer/stepp", Tensor::scalar(1.0)}}) ==
             start + "it has \"optimizer/stepp\", which the model lacks. Did you mean \"optimizer/step\"?" + end);
  BOOST_TEST(refuse({{"w", Tensor::scalar(1.0)}, {"another", Tensor::scalar(1.0)}}) ==
             start + "it has \"another\", which the model lacks." + end);
  BOOST_TEST(refuse({{"w", Tensor::scalar(1.0f)}}) == start + "\"w\" is f32[] there and f64[] in the model." + end);
  BOOST_TEST(refuse({{"w", Tensor::scalar(1.0)}, {"optimizer/step", Tensor::scalar(std::int64_t{1})}}) ==
             start + "it lacks \"optimizer/learning_rate\"." + end);
  BOOST_TEST(model.store().get("w").item<double>() == 3.0);
}

BOOST_AUTO_TEST_CASE(predictions_have_a_row_a_sample) {
  const Net net;
  Model model = net.compiled();
  const Dataset data = points(37, 4);
  const Tensor all = model.predict(data, 37);
  BOOST_TEST(to_string(all.type()) == "f32[37, 3]");
  BOOST_TEST(to_string(model.predict(data["x"], 8).type()) == "f32[37, 3]");
  const Tensor batches = model.predict(data["x"], 5);
  for (std::size_t i = 0; i < 37 * 3; ++i) BOOST_TEST(std::abs(batches.data<float>()[i] - all.data<float>()[i]) < 1e-6);
  BOOST_TEST(message([&] { compile(net.loss, "sgd").predict(data); }) ==
             "predict: the model was compiled without predictions. Compile it with {.predictions = logits}, say");
}

BOOST_AUTO_TEST_CASE(data_are_cut_without_a_copy) {
  const Dataset data = points(10, 1);
  const auto [first, second] = data.split(0.25, {.shuffle = false});
  BOOST_TEST(first.size() == 8);
  BOOST_TEST(second.size() == 2);
  BOOST_TEST(second["x"].bytes() == data["x"].bytes() + 8 * 2 * sizeof(float));
  BOOST_TEST(second.rows(1, 2)["label"].item<std::int64_t>() == data["label"].data<std::int64_t>()[9]);
  BOOST_TEST(message([&] { data.rows(3, 11); }) == "rows 3 to 11 were asked for, but the data have 10");
  BOOST_TEST(message([&] { data["lable"]; }) ==
             "the data have no column \"lable\". Did you mean \"label\"? They have \"x\", \"label\"");
  BOOST_TEST(message([] {
               Dataset{{"x", Tensor::scalar(1.0)}};
             }) ==
             "column \"x\" is a scalar, but its first axis must be the samples\n  add_shared(\"x\", tensor) "
             "gives every batch the same");
}

// A loss with a scalar and a table that belong to no sample: inputs, or constants of the same values.
struct Weighed {
  explicit Weighed(bool inputs) : graph() {
    const Value x = input(graph, "x", f32, {any(8), 2}), label = input(graph, "label", i64, {any(8)});
    const Value share = inputs ? input(graph, "share", f32, {}) : constant(graph, 0.25, f32);
    const Value table = inputs ? input(graph, "table", f32, {2, 3}) : constant(graph, values());
    logits = dense(x, 3) + matmul(x, table);
    loss = cross_entropy(logits, label) + share * mean(square(logits));
  }
  static Tensor values() { return Tensor::of<float>({2, 3}, {1, -1, 0.5f, 0, 2, -3}); }
  Graph graph;
  Value logits, loss;
};

BOOST_AUTO_TEST_CASE(what_belongs_to_no_sample_goes_into_every_batch_whole) {
  const Dataset plain = points(22, 3);
  Dataset data = plain;
  data.add_shared("share", Tensor::scalar(0.25f));
  data.add_shared("table", Weighed::values());
  BOOST_TEST(data.size() == 22);
  const Weighed by_inputs(true), by_constants(false);
  Model ours = compile(by_inputs.loss, "adam", {.predictions = by_inputs.logits});
  Model same = compile(by_constants.loss, "adam", {.predictions = by_constants.logits});
  // Batches of 5 and a last one; what is split, taken, mapped and loaded keeps what is shared.
  const auto turn = [](const Tensor& row, Draws&) { return row; };
  const History history = ours.fit(data.split(0.1).first.map("x", turn), {.epochs = 2, .batch_size = 5});
  BOOST_TEST(history.step_losses == same.fit(plain.split(0.1).first, {.epochs = 2, .batch_size = 5}).step_losses,
             boost::test_tools::per_element());
  BOOST_TEST(ours.evaluate(data.take({3, 1}))["loss"] == same.evaluate(plain.take({3, 1}))["loss"]);
  BOOST_TEST(same_bits(ours.predict(data.map("x", turn).load().rows(2, 9), 4), same.predict(plain.rows(2, 9), 4)));
  const History made =
      ours.fit(Batches{.steps = 2, .make = [&](std::int64_t step, int) { return data.rows(4 * step, 4 * step + 4); }},
               {.batch_size = 4});
  BOOST_TEST(made.step_losses.size() == 2);
}

BOOST_AUTO_TEST_CASE(what_belongs_to_no_sample_is_told_from_columns) {
  const Weighed net(true);
  Model model = compile(net.loss, "adam");
  Dataset data = points(6, 3);
  const auto refused = [&] { return message([&] { model.evaluate(data, 6); }); };
  const auto ends = [](const std::string& text, const std::string& end) { return text.ends_with(end); };
  const std::string remedy = "data.add_shared(\"share\", tensor) gives every batch the same";
  BOOST_TEST(ends(refused(), "\n  " + remedy), refused());
  data.add("share", Tensor({f32, {6}}));
  BOOST_TEST(refused().starts_with("evaluate: column \"share\" is f32[6], but does not fit input \"share\", f32[]"),
             refused());
  BOOST_TEST(ends(refused(), "\n  " + remedy), refused());
  data = points(6, 3);
  data.add_shared("share", Tensor::scalar(1.0f));
  data.add_shared("table", Tensor({f32, {3, 3}}));
  BOOST_TEST(refused().starts_with("evaluate: column \"table\" is f32[3, 3], but does not fit"), refused());
  BOOST_TEST(message([&] { data.add("table", Tensor({f32, {6}})); }) == "the data have two columns \"table\"");
  BOOST_TEST(message([&] {
               data.map("share", [](const Tensor& row, Draws&) { return row; });
             }).starts_with("column \"share\" belongs to no sample"));
}

BOOST_AUTO_TEST_CASE(a_series_is_cut_into_pieces_that_overlap) {
  const Tensor series = Tensor::of<std::int64_t>({7, 2}, {0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 60, 61});
  const Tensor pieces = windows(series, 3, 2);  // the last one ends with the series
  BOOST_TEST(to_string(pieces.type()) == "i64[3, 3, 2]");
  for (std::int64_t i = 0; i < 18; ++i)
    BOOST_TEST(pieces.data<std::int64_t>()[i] == (2 * (i / 6) + i / 2 % 3) * 10 + i % 2);
  BOOST_TEST(to_string(windows(series, 7).type()) == "i64[1, 7, 2]");
  BOOST_TEST(to_string(windows(series, 3, 3).type()) == "i64[2, 3, 2]");
  for (const auto& [length, stride] : {std::pair{8, 1}, {0, 1}, {2, 0}})
    BOOST_TEST(message([&] {
                 windows(series, length, stride);
               }).starts_with("windows: there are no pieces of " + std::to_string(length) + " rows"));
}

BOOST_AUTO_TEST_CASE(data_that_do_not_fit_are_named_with_the_inputs_line) {
  const Net net;
  Model model = net.compiled();
  const Dataset good = points(10, 1);
  const std::string x_at = "\n  at " + to_string(Location(net.x_at)),
                    label_at = "\n  at " + to_string(Location(net.label_at));
  BOOST_TEST(message([&] {
               model.fit({{"x", good["x"]}, {"y", good["label"]}});
             }) == "fit: the data have no column for input \"label\", i64[any]" + label_at +
                       "\n  Their columns are \"x\", \"y\"");
  BOOST_TEST(message([&] {
               model.fit({{"x", draw({10, 2}, 0, 1, 1, f64)}, {"label", good["label"]}});
             }) == "fit: column \"x\" is f64[10, 2], but does not fit input \"x\", f32[any, 2]" + x_at +
                       "\n  Convert or reshape the column first");
  BOOST_TEST(message([&] {
               model.evaluate({{"x", draw({10, 3}, 0, 1, 1, f32)}, {"label", good["label"]}});
             }) == "evaluate: column \"x\" is f32[10, 3], but does not fit input \"x\", f32[any, 2]" + x_at +
                       "\n  Convert or reshape the column first");
  BOOST_TEST(message([&] { model.fit(good.rows(3, 3)); }) == "fit: the data have no samples");
  BOOST_TEST(message([&] { model.fit(good, {.batch_size = 0}); }) == "fit: the batch size is 0. Give at least 1");
  BOOST_TEST(message([&] {
               Dataset{{"x", good["x"]}, {"label", good["label"].clone()}, {"x", good["x"]}};
             }) == "the data have two columns \"x\"");
  BOOST_TEST(message([&] {
               Dataset{{"x", good["x"]}, {"label", Tensor({i64, {9}})}};
             }) == "column \"label\" is i64[9], but \"x\" is f32[10, 2]: all columns need the same number of samples");
}

BOOST_AUTO_TEST_CASE(a_label_out_of_range_is_named_and_undoes_its_step) {
  const Net net;
  Model model = net.compiled();
  Dataset data = points(8, 1);
  Tensor label = data["label"].clone();
  label.data<std::int64_t>()[5] = 3;
  const Store before = model.store().snapshot();
  const std::string text = message([&] { model.fit({{"x", data["x"]}, {"label", label}}, {.shuffle = false}); });
  BOOST_TEST(text.find("label 3") != std::string::npos, text);
  BOOST_TEST(text.find("tests/support/points.h:") != std::string::npos, text);
  for (const std::string& name : before.names()) BOOST_TEST(same_bits(before.get(name), model.store().get(name)), name);
}

BOOST_AUTO_TEST_CASE(compile_says_what_it_cannot_compile) {
  const Net net;
  const Net other;
  BOOST_TEST(message([&] {
               compile(net.loss, "sgd", {.metrics = {{"accuracy", net.logits}}});
             }) ==
             "compile: metric \"accuracy\" is f32[8, 3], not a scalar\n  at HERE\n  Take its mean over the batch: "
             "mean(value)");
  BOOST_TEST(message([&] {
               compile(net.loss, "sgd", {.metrics = {{"accuracy", other.accuracy}}});
             }) == "compile: metric \"accuracy\" is not a value of the loss's graph\n  at HERE\n  Build it there");
  BOOST_TEST(message([&] { compile(net.logits, "sgd"); }).find("not a floating-point scalar") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
