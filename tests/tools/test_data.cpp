// `--data FILE`: the same for all commands and all kinds of nets.
#include <oxbow/graph/text.h>
#include <oxbow/onnx.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/npz.h>
#include <oxbow/optim/saved_model.h>

#include <boost/test/unit_test.hpp>

#include "support/program.h"

BOOST_AUTO_TEST_SUITE(test_data)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// A net of three numbers and a label, as a graph, as an exported model and as an ONNX file.
struct Net {
  explicit Net(const TemporaryFolder& folder)
      : text(folder / "net.txt"), exported(folder / "net.oxb"), onnx(folder / "net.onnx") {
    Graph g;
    const Value x = input(g, "x", f32, {any(16), 3}), label = input(g, "label", i64, {any(16)});
    const Value logits = dense(x, 2), loss = cross_entropy(logits, label);
    g.add_output("loss", loss);
    g.add_output("accuracy", accuracy(logits, label));
    folder.write("net.txt", print(g));
    Model model = compile(loss, "adam", {.predictions = logits});
    model.export_model(exported);
    export_onnx(onnx, {{"logits", logits}}, model.store());
  }
  std::string text, exported, onnx;
};

// Which of two numbers is larger; the third says nothing.
std::string rows(int count) {
  std::string csv = "a,label,b,c\n";
  for (int i = 0; i < count; ++i) {
    const int a = i * 37 % 100, b = i * 61 % 100;
    csv += std::to_string(a) + ".5," + std::to_string(a > b) + "," + std::to_string(b) + ",0.25\n";
  }
  return csv;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_command_takes_a_table_for_every_net) {
  const TemporaryFolder folder;
  const Net net(folder);
  const std::string data = " --data " + folder.write("rows.csv", rows(200)), out = " --out " + (folder / "out");
  for (const std::string& file : {net.text, net.exported, net.onnx}) {
    const std::string train = file == net.onnx ? " --train '*'" : "";
    const std::pair<std::string, std::string> commands[] = {
        {"train " + file + data + train + out + " --epochs 2 --test " + (folder / "rows.csv"),
         "on 200 samples, tested on 200"},
        {"lr find " + file + data + " --steps 30 -o " + (folder / "lr.svg"), "30 steps"},
        {"lr sharpness " + file + data, "Plain descent is stable"},
        {"profile " + file + data + " --steps 2", "ms a run"},
        {"run " + file + data + " --samples 7 --inference", file == net.text ? "loss" : "f32[7, 2]"},
    };
    for (const auto& [command, said] : commands) {
      const Finished run = oxbow_(command);
      BOOST_TEST(run.code == 0, command << "\n" << run.output);
      BOOST_TEST(has(run.output, said), command << "\n" << run.output);
    }
  }
  // What was trained on goes back as it came.
  oxbow_("train " + net.exported + data + out + " --epochs 30 --learning-rate 0.01");
  const Finished good = oxbow_("evaluate " + (folder / "out/model.oxb") + data);
  BOOST_TEST(has(good.output, "accuracy      0.99"), good.output);
  BOOST_TEST(oxbow_("dump " + net.exported).output.find("matmul") != std::string::npos);
}

// What is exported mostly ends in probabilities.
BOOST_AUTO_TEST_CASE(probabilities_at_the_end_go_into_the_loss) {
  const TemporaryFolder folder;
  const std::string data = " --data " + folder.write("rows.csv", rows(200)), model = folder / "net.oxb";
  for (const bool two : {true, false}) {
    Graph g;
    const Value x = input(g, "x", f32, {any(16), 3}), scores = dense(x, two ? 2 : 1);
    const Value label = input(g, "label", i64, {any(16)});
    const Value loss =
        two ? cross_entropy(scores, label) : binary_cross_entropy(scores, reshape_like(cast(label, f32), scores));
    compile(loss, "adam", {.predictions = two ? softmax(scores) : sigmoid(scores)}).export_model(model);
    const Finished run =
        oxbow_("train " + model + data + " --out " + (folder / "out") + " --epochs 60 --learning-rate 0.03");
    BOOST_TEST(run.code == 0, run.output);
    BOOST_TEST(has(run.output, "epoch 60/60  loss 0.0"), run.output);
    const SavedModel trained = load_model(folder / "out/model.oxb");
    const Tensor p = trained.predict(Tensor::of<float>({2, 3}, {90, 10, 0.25f, 10, 90, 0.25f}));
    BOOST_TEST(p.data<float>()[two ? 1 : 0] > 0.9f);  // still a probability
    BOOST_TEST(p.data<float>()[two ? 3 : 1] < 0.1f);
  }
}

BOOST_AUTO_TEST_CASE(a_table_and_arrays_of_the_same_numbers_give_the_same) {
  const TemporaryFolder folder;
  const Net net(folder);
  folder.write("rows.csv", "label,a,b,c\n1,0.5,2,3\n0,-1,4,0.25\n");
  save_npz(folder / "rows.npz", {{"x", Tensor::of<float>({2, 3}, {0.5f, 2, 3, -1, 4, 0.25f})},
                                 {"label", Tensor::of<std::int64_t>({2}, {1, 0})}});
  const std::string run = "run " + net.text + " --inference --data ";
  BOOST_TEST(oxbow_(run + (folder / "rows.csv")).output == oxbow_(run + (folder / "rows.npz")).output);
}

BOOST_AUTO_TEST_CASE(data_that_do_not_fit_are_told_with_column_and_row) {
  const TemporaryFolder folder;
  const Net net(folder);
  const auto fails = [&](const std::string& csv, const std::string& said) {
    for (const char* command : {"train ", "lr find ", "lr sharpness ", "profile ", "run "}) {
      const Finished run = oxbow_(command + net.text + " --data " + folder.write("rows.csv", csv));
      BOOST_TEST(run.code == 1, command);
      BOOST_TEST(has(run.output, said), command << run.output);
    }
  };
  fails("a,b,label\n1,2,0\n", "takes 3 columns of numbers, but there are 2 that no other input takes: a, b");
  fails("a,b,c,label\n1,2,3,0\n1,,3,0\n", "lacks the value of row 2");
  fails("a,b,c,label\n1,2,red,0\n", "column \"c\" of ");
  fails("a,b,c,label\n1,2,3,0\n1,2,3,0.5\n", "has 0.5 in row 2, which input \"label\" of i64 does not take");
  fails("a,b,c,label\n", "has no samples");
  const Finished folderless = oxbow_("lr find " + net.text + " --data /nowhere");
  BOOST_TEST(has(folderless.output, "Name a file of samples, .npz, .safetensors or .csv, or the folder"),
             folderless.output);
  const Finished truthless = oxbow_("train " + net.exported + " --data " + folder.write("x.csv", "a,b,c\n1,2,3\n"));
  BOOST_TEST(has(truthless.output, "with which its first output would be compared"), truthless.output);
}

BOOST_AUTO_TEST_SUITE_END()
