// `oxbow train` as a shell user meets it: what it writes, resuming, kills, bad data, a full disk.
#include <oxbow/onnx.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/safetensors.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>

#include "support/program.h"

BOOST_AUTO_TEST_SUITE(test_train)

using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(training_writes_its_results_and_a_graph_that_trains_again) {
  const TemporaryFolder folder;
  const std::string data = small_mnist(folder, 100, 20), out = folder / "out";
  const Finished run = oxbow_("train --epochs 2 --batch-size 64 --threads 2 --out " + out + data);
  BOOST_TEST(run.code == 0);
  BOOST_TEST(has(run.output, "mnist_mlp on 100 images, tested on 20, with adam, learning rate 0.001\n"), run.output);
  BOOST_TEST(has(run.output, "epoch  2/2  loss "), run.output);
  const std::string list = "loss curve   " + out + "/loss.svg\nhistory      " + out + "/history.csv\nparameters   " +
                           out + "/parameters.safetensors\nto resume    " + out +
                           "/training.safetensors\ngraph        " + out + "/graph.txt\nits picture  " + out +
                           "/graph.svg\n";
  BOOST_TEST(run.output.ends_with(list), run.output);
  for (const char* name : {"loss.svg", "parameters.safetensors", "graph.txt", "graph.svg"})
    BOOST_TEST(folder.read("out/" + std::string(name)).size() > 1000, name);

  // The graph is a whole step: what plans and runs it meets the updates.
  const Finished plan = oxbow_("dump --plan " + out + "/graph.txt");
  BOOST_TEST(has(plan.output, "update \"optimizer/adam"), plan.output);
  const Finished same = oxbow_("diff mnist_mlp " + out + "/graph.txt");
  BOOST_TEST(has(same.output, "203 nodes the same, 0 added, 0 removed, 0 changed"), same.output);

  // The same net from its text, on batches larger than the data.
  const Finished again = oxbow_("train --batch-size 1000 --out " + out + "2 " + out + "/graph.txt --epochs 1" + data);
  BOOST_TEST(again.code == 0, again.output);
  BOOST_TEST(folder.read("out2/graph.txt").size() > 1000);
}

namespace {

using namespace oxbow;

// A net of two layers in an ONNX file, and samples for it beside: 12 of class i % 3, or of the numbers that are twice
// x's first ones.
std::string onnx_net(const TemporaryFolder& folder) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 4});
  const Value y = dense(dense(x, 8, {.activation = relu, .name = "body"}), 3, {.name = "head"});
  export_onnx(folder / "net.onnx", {{"scores", y}}, Store(g));
  Tensor samples({f32, {12, 4}}), label({i64, {12}}), numbers({f32, {12, 3}});
  for (std::int64_t i = 0; i < 48; ++i) samples.data<float>()[i] = 0.1f * static_cast<float>(i % 7 - 3);
  for (std::int64_t i = 0; i < 12; ++i) label.data<std::int64_t>()[i] = i % 3;
  for (std::int64_t i = 0; i < 36; ++i) numbers.data<float>()[i] = 2 * samples.data<float>()[i / 3 * 4 + i % 3];
  save_safetensors(folder / "classes.safetensors", {{{"x", samples}, {"label", label}}, {}});
  save_safetensors(folder / "numbers.safetensors", {{{"x", samples}, {"label", numbers}}, {}});
  save_safetensors(folder / "bare.safetensors", {{{"x", samples}}, {}});
  return folder / "net.onnx";
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_onnx_model_is_trained_on_tensors_of_its_user) {
  const TemporaryFolder folder;
  const std::string net = onnx_net(folder), out = folder / "out";
  for (const std::string& data : {std::string("classes"), std::string("numbers")}) {
    const std::string file = folder / (data + ".safetensors");
    const Finished run = oxbow_("train " + net + " --train 'head/*' --data " + file + " --test " + file +
                                " --epochs 30 --batch-size 4 --learning-rate 0.05 --out " + out);
    BOOST_TEST(run.code == 0, run.output);
    BOOST_TEST(has(run.output, "net.onnx on 12 samples, tested on 12, with adam, learning rate 0.05"), run.output);
    BOOST_TEST(has(run.output, "model        " + out + "/model.onnx"), run.output);
    BOOST_TEST(has(run.output, "test accuracy") == (data == "classes"), run.output);
    Graph before, after;
    const OnnxModel given = import_onnx(before, net), tuned = import_onnx(after, out + "/model.onnx");
    BOOST_TEST((tuned.outputs["scores"].type() == given.outputs["scores"].type()));
    BOOST_TEST(same_bits(tuned.store.get("body/kernel"), given.store.get("body/kernel")));
    BOOST_TEST(!same_bits(tuned.store.get("head/kernel"), given.store.get("head/kernel")));
  }
  const Finished alone = oxbow_("train " + net + " --train 'head/*' --epochs 1 --out " + out + " --data " +
                                (folder / "numbers.safetensors"));
  BOOST_TEST(alone.code == 0, alone.output);
  BOOST_TEST(has(alone.output, "net.onnx on 12 samples, with adam"), alone.output);
}

BOOST_AUTO_TEST_CASE(data_that_do_not_fit_an_onnx_model_are_told) {
  const TemporaryFolder folder;
  const std::string net = onnx_net(folder);
  const auto said = [&](const std::string& data, const std::string& more = "--train '*'") {
    const Finished run =
        oxbow_("train " + net + " " + more + " --out " + (folder / "out") + " --data " + (folder / data));
    BOOST_TEST(run.code == 1, run.output);
    return run.output;
  };
  BOOST_TEST(has(said("classes.safetensors", ""), "Say which are by --train: '*' for all"));
  BOOST_TEST(has(said("bare.safetensors"), "the data have no column beside the inputs of " + net));
  BOOST_TEST(has(said("none.safetensors"), "none.safetensors"));
  const Tensor wrong({i64, {12, 5}}), x({f32, {12, 4}});
  save_safetensors(folder / "wrong.safetensors", {{{"x", x}, {"label", wrong}}, {}});
  BOOST_TEST(has(said("wrong.safetensors"), "\"label\" is i64[12, 5], but the first output"));
  save_safetensors(folder / "rows.safetensors", {{{"x", x}, {"label", Tensor({i64, {11}})}}, {}});
  BOOST_TEST(has(said("rows.safetensors"), "rows.safetensors: "));
  const Finished run = oxbow_("train mnist_mlp --train '*' --out " + (folder / "out") + mnist);
  BOOST_TEST(has(run.output, "--train goes with an ONNX file"), run.output);
  const Finished test = oxbow_("train --test x.safetensors --out " + (folder / "out") + mnist);
  BOOST_TEST(has(test.output, "--test goes with a file of samples"), test.output);
}

// No program `dot`, or one that crashes: that is no reason not to train.
BOOST_AUTO_TEST_CASE(training_does_without_the_picture_of_its_graph) {
  const TemporaryFolder folder;
  const std::string data = small_mnist(folder, 100, 20), out = folder / "out";
  std::filesystem::create_directory(folder / "crashes");
  const std::string crashes = folder.write("crashes/dot", "#!/bin/sh\nkill -SEGV $$\n");
  std::filesystem::permissions(crashes, std::filesystem::perms::owner_all);
  for (const auto& [path, why] :
       {std::pair<std::string, std::string>{folder / "none", "cannot run Graphviz's program dot"},
        {folder / "crashes", "Graphviz's program dot was ended by signal 11"}}) {
    const Finished run =
        command("PATH=" + path + " " + programs + "oxbow train --epochs 1 --out " + out + data + " 2>&1");
    BOOST_TEST(run.code == 0, run.output);
    BOOST_TEST(has(run.output, "the graph's picture is left out: " + why), run.output);
    BOOST_TEST(run.output.ends_with("graph        " + out + "/graph.txt\n"), run.output);
    BOOST_TEST(folder.read("out/parameters.safetensors").size() > 1000);
    BOOST_TEST(!std::filesystem::exists(out + "/graph.svg"));
  }
}

BOOST_AUTO_TEST_CASE(training_with_a_schedule_is_resumed) {
  const TemporaryFolder folder;
  const std::string data = small_mnist(folder, 100, 20), out = " --out " + (folder / "out");
  const std::string how = "train --schedule cosine --warmup 2 --clip-norm 1 --accumulate 2 --ema 0.9 --batch-size 16";
  const Finished none = oxbow_(how + " --resume" + out + data);
  BOOST_TEST(has(none.output, "oxbow: there is no " + (folder / "out") +
                                  "/training.safetensors to resume\n  Train without --resume first, or name another "
                                  "folder with --out\n"),
             none.output);
  BOOST_TEST(!has(oxbow::test::command("ls " + (folder / "")).output, "out"));
  const Finished first = oxbow_(how + out + data);
  BOOST_TEST(first.code == 0);
  BOOST_TEST(has(first.output,
                 "adam, learning rate warmup(steps=2, then=cosine(initial=0.001, steps=38, final=0), "
                 "from=0)\n"),
             first.output);
  const Finished done = oxbow_(how + " --resume" + out + data);  // all epochs are done
  BOOST_TEST(done.code == 0);
  BOOST_TEST(has(done.output, "\nresumed after 40 steps\n"), done.output);
  BOOST_TEST(!has(done.output, "epoch "), done.output);
  BOOST_TEST(has(oxbow_("train --schedule cosin" + out + data).output, "--schedule: cosin not in {"));
  BOOST_TEST(has(oxbow_("train --warmup 100 --epochs 1" + out + data).output,
                 "oxbow: a warm-up of 100 steps leaves none of the 2 to train\n  Give a smaller --warmup\n"));
}

BOOST_AUTO_TEST_CASE(a_batch_may_be_larger_than_the_data) {
  const TemporaryFolder folder;
  const std::string how = "train --schedule linear --epochs 3" + small_mnist(folder, 64, 8) + " --batch-size ";
  const Finished all = oxbow_(how + "64 --out " + (folder / "all"));
  BOOST_TEST(all.code == 0, all.output);
  BOOST_TEST(has(all.output, "linear(initial=0.001, steps=3, "), all.output);
  const Finished huge = oxbow_(how + "9223372036854775807 --out " + (folder / "huge"));
  BOOST_TEST(huge.code == 0, huge.output);
  for (const char* name : {"training.safetensors", "history.csv", "loss.svg"})
    BOOST_TEST(folder.read("huge/" + std::string(name)) == folder.read("all/" + std::string(name)), name);
}

// Killed when so many rows are in the history, and once while a file is half written; then resumed each time.
BOOST_AUTO_TEST_CASE(a_training_that_is_killed_is_resumed_whole) {
  const TemporaryFolder folder;
  const std::string data = small_mnist(folder, 320, 20);
  const std::string how = "train --schedule cosine --epochs 4 --batch-size 16 --checkpoint-every 7" + data + " --out ";
  BOOST_TEST(oxbow_(how + (folder / "whole")).code == 0);
  const std::string out = folder / "killed";
  std::string resume;
  for (const std::string& when :
       {"[ -e " + out + "/training.safetensors ]", std::string("[ `wc -l < " + out + "/history.csv` -gt 25 ]"),
        "ls " + out + "/training.safetensors.oxbow-part*",
        std::string("[ `wc -l < " + out + "/history.csv` -gt 60 ]")}) {
    const Finished run = oxbow::test::command("sh -c '" + programs + "oxbow " + how + out + resume + " & p=$!; until " +
                                              when + "; do kill -0 $p || break; done; kill -KILL $p; wait $p' 2>&1");
    BOOST_TEST(run.code == 128 + 9, run.output);
    resume = " --resume";
  }
  const Finished last = oxbow_(how + out + resume);
  BOOST_TEST(last.code == 0, last.output);
  for (const char* name : {"training.safetensors", "parameters.safetensors", "history.csv", "loss.svg"})
    BOOST_TEST(folder.read("killed/" + std::string(name)) == folder.read("whole/" + std::string(name)), name);
  const std::string history = folder.read("whole/history.csv");
  BOOST_TEST(std::count(history.begin(), history.end(), '\n') == 81);
  BOOST_TEST(has(history, "\n80,4,"));
}

// The rate that is asked for holds; one that nobody asked for is told.
BOOST_AUTO_TEST_CASE(a_training_is_resumed_at_the_rate_that_was_asked_for) {
  const TemporaryFolder folder;
  const std::string how = "train --batch-size 16" + small_mnist(folder, 64, 8) + " --out " + (folder / "out");
  const auto rate_of_step = [&](const char* step, const char* rate) {
    return has(folder.read("out/history.csv"), std::string("\n") + step + "," + rate + ",");
  };
  // What a schedule left behind is not a rate to go on with.
  BOOST_TEST(!has(oxbow_(how + " --schedule cosine --epochs 1").output, "the state's"));
  BOOST_TEST(has(oxbow_(how + " --resume --epochs 2").output, "learning rate 0.001\n"));
  BOOST_TEST(rate_of_step("5,2", "0.001"));
  BOOST_TEST(!has(oxbow_(how + " --resume --epochs 3 --learning-rate 0.002").output, "the state's"));
  BOOST_TEST(rate_of_step("9,3", "0.002"));
  BOOST_TEST(has(oxbow_(how + " --resume --epochs 4").output,
                 "the learning rate is the state's, not 0.001: give --learning-rate to set it, or the --schedule it "
                 "had\n"));
  BOOST_TEST(rate_of_step("13,4", "0.002"));
  BOOST_TEST(!has(oxbow_(how + " --resume --epochs 5 --schedule cosine").output, "the state's"));
}

// What became of the history is told; the state is whole, so training goes on.
BOOST_AUTO_TEST_CASE(a_history_that_lacks_rows_is_told_when_it_is_resumed) {
  const TemporaryFolder folder;
  const std::string data = small_mnist(folder, 64, 8), out = folder / "out", path = out + "/history.csv";
  const std::string how = "train --batch-size 16" + data + " --out " + out + " --epochs ";
  BOOST_REQUIRE(oxbow_(how + "3").code == 0);
  const std::string state = folder.read("out/training.safetensors"), whole = folder.read("out/history.csv");
  const auto line = [&](int step) { return whole.find("\n" + std::to_string(step) + ",") + 1; };
  const std::string header = whole.substr(0, line(1));
  struct Case {
    std::string text, missing;
  };
  const Case cases[] = {
      {"", "1 to 12"},
      {"\n", "1 to 12"},
      {header, "1 to 12"},
      {header.substr(0, 7), "1 to 12"},
      {whole.substr(0, line(6)), "6 to 12"},
      {whole.substr(0, line(12) - 1), "11 to 12"},  // a line that has lost its end may be cut short
      {whole.substr(0, line(12) + 9), "12"},
      {header + whole.substr(line(3)), "1 to 2"},
      {whole.substr(0, line(4)) + whole.substr(line(5), line(9) - line(5)) + whole.substr(line(11)), "4, 9 to 10"}};
  for (const auto& [text, missing] : cases) {
    folder.write("out/training.safetensors", state);
    folder.write("out/history.csv", text);
    const Finished run = oxbow_(how + "4 --resume");
    BOOST_TEST(run.code == 0, run.output);
    BOOST_TEST(has(run.output,
                   path + " lacks the rows of steps " + missing + ": they stay missing, the state has all of them\n"),
               run.output);
    BOOST_TEST(has(folder.read("out/history.csv"), "\n16,4,"));
  }
  folder.write("out/training.safetensors", state);
  std::filesystem::remove(path);
  BOOST_TEST(has(oxbow_(how + "4 --resume").output, " lacks the rows of steps 1 to 12: "));
  // Of an older state beside a newer history nothing is left to draw.
  folder.write("out/training.safetensors", state);
  folder.write("out/history.csv", header + "13" + whole.substr(line(12) + 2));
  std::filesystem::remove(out + "/loss.svg");
  const Finished none = oxbow_(how + "3 --resume");
  BOOST_TEST(none.code == 0, none.output);
  BOOST_TEST(has(none.output, " lacks the rows of steps 1 to 12: "), none.output);
  BOOST_TEST(!std::filesystem::exists(out + "/loss.svg"), none.output);
  BOOST_TEST(!has(oxbow_(how + "3").output, "lacks"));
  BOOST_TEST(!has(oxbow_(how + "4 --resume").output, "lacks"));
  folder.write("out/history.csv", whole.substr(0, line(2)) + whole.substr(line(1)));
  BOOST_TEST(has(oxbow_(how + "5 --resume").output,
                 "/history.csv has steps that do not rise, so it is not a training history"));
}

// To open a pipe would wait for whoever writes it.
BOOST_AUTO_TEST_CASE(a_history_that_is_a_pipe_is_refused) {
  const TemporaryFolder folder;
  const std::string out = folder / "out", path = out + "/history.csv";
  const std::string how = "train --batch-size 16" + small_mnist(folder, 64, 8) + " --out " + out + " --epochs ";
  BOOST_REQUIRE(oxbow_(how + "1").code == 0);
  std::filesystem::remove(path);
  BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const Finished run = oxbow::test::command("timeout 60 " + programs + "oxbow " + how + "2 --resume 2>&1");
  BOOST_TEST(run.code == 1);
  BOOST_TEST(run.output == "oxbow: cannot read " + path + ": it is not a regular file\n");
}

// A limit on the size of files (ulimit -f, in kB here) ends with a message and the file that was there.
BOOST_AUTO_TEST_CASE(a_file_size_limit_is_told_as_a_full_disk) {
  const TemporaryFolder folder;
  const std::string out = folder / "out";
  const std::string how =
      programs + "oxbow train --batch-size 16" + small_mnist(folder, 64, 8) + " --out " + out + " --epochs ";
  BOOST_REQUIRE(oxbow::test::command(how + "2").code == 0);
  const std::string state = folder.read("out/training.safetensors");
  const Finished run = oxbow::test::command("bash -c 'ulimit -f 500; " + how + "3 --resume' 2>&1");
  BOOST_TEST(run.code == 1, run.output);
  BOOST_TEST(has(run.output, "oxbow: cannot write " + out +
                                 "/training.safetensors: File too large (the file that was "
                                 "there is unchanged)\n"),
             run.output);
  BOOST_TEST((folder.read("out/training.safetensors") == state));
  BOOST_TEST(oxbow::test::command("ls -A " + out + " | grep -c oxbow-part").output == "0\n");
}

BOOST_AUTO_TEST_CASE(a_training_that_begins_anew_replaces_history_and_state) {
  const TemporaryFolder folder;
  const std::string data = small_mnist(folder, 64, 20), out = folder / "out";
  const std::string how = "train --batch-size 16" + data + " --out " + out;
  BOOST_TEST(oxbow_(how + " --epochs 3").code == 0);
  BOOST_TEST(oxbow_(how + " --epochs 2").code == 0);
  BOOST_TEST(has(folder.read("out/history.csv"), "\n8,2,"));
  BOOST_TEST(!has(folder.read("out/history.csv"), "\n9,3,"));
  BOOST_TEST(oxbow_(how + " --epochs 3 --resume").code == 0);
  BOOST_TEST(has(folder.read("out/history.csv"), "\n12,3,"));
  folder.write("out/history.csv", "a,b,c\n1,2,3\n");
  const Finished other = oxbow_(how + " --epochs 4 --resume");
  BOOST_TEST(other.code == 1);
  BOOST_TEST(has(other.output, "/history.csv has no column \"step\", so it is not a training history\n  Move it to"),
             other.output);
}

// Ctrl-C before the first step, and what cannot be resumed, leave everything as it was.
BOOST_AUTO_TEST_CASE(who_has_nothing_new_replaces_nothing) {
  const TemporaryFolder folder;
  const std::string data = small_mnist(folder, 64, 20), out = folder / "out";
  const std::string how = "train --batch-size 16 --epochs 1" + data + " --out " + out;
  BOOST_TEST(oxbow_(how).code == 0);
  const auto content = [&] { return oxbow::test::command("cd " + out + " && ls && cat *").output; };
  const std::string before = content();
  const Finished interrupted = oxbow::test::command("env --block-signal=INT sh -c 'kill -INT $$; exec " + programs +
                                                    "oxbow " + how + " --optimizer sgd' 2>&1");
  BOOST_TEST(interrupted.code == 130);
  BOOST_TEST(interrupted.output.ends_with("interrupted before the first step: nothing was written\n"),
             interrupted.output);
  BOOST_TEST((content() == before));
  const Finished other = oxbow_(how + " --resume --optimizer lion");
  BOOST_TEST(other.code == 1);
  BOOST_TEST(has(other.output, "the model lacks."), other.output);
  BOOST_TEST((content() == before));
}

// A rate that is given goes before the state's, and one that is not is the state's.
BOOST_AUTO_TEST_CASE(a_rate_is_resumed_or_changed) {
  const TemporaryFolder folder;
  const std::string data = small_mnist(folder, 64, 20), out = folder / "out";
  const std::string how = "train --batch-size 16 --optimizer SGD --set momentum=0.5" + data + " --out " + out;
  const Finished first = oxbow_(how + " --epochs 1 --learning-rate 0.125");
  BOOST_TEST(has(first.output, "with sgd(momentum=0.5), learning rate 0.125\n"), first.output);
  BOOST_TEST(has(folder.read("out/history.csv"), "\n4,1,0.125,"));
  const Finished same = oxbow_(how + " --epochs 2 --resume");
  BOOST_TEST(has(same.output, "with sgd(momentum=0.5), learning rate 0.125\nresumed after 4 steps\n"), same.output);
  BOOST_TEST(has(folder.read("out/history.csv"), "\n8,2,0.125,"));
  const Finished other = oxbow_(how + " --epochs 3 --resume --learning-rate 0.0625");
  BOOST_TEST(has(other.output, "with sgd(momentum=0.5), learning rate 0.0625\nresumed after 8 steps\n"), other.output);
  BOOST_TEST(has(folder.read("out/history.csv"), "\n12,3,0.0625,"));
  BOOST_TEST(has(oxbow_(how + " --set dampning=1").output,
                 "oxbow: sgd has no field \"dampning\". Did you mean \"dampening\"?"));
  BOOST_TEST(oxbow_(how + " --set nesterov").output ==
             "oxbow: --set nesterov: expected a field and its value, as in momentum=0.9\n");

  // Its state is taken wherever values of variables are.
  const std::string parameters = " --random --parameters " + out + "/training.safetensors";
  const Finished run = oxbow_("run mnist_mlp" + parameters);
  BOOST_TEST(run.code == 0, run.output);
  const std::size_t end = run.output.find("\naccuracy");
  BOOST_REQUIRE(end != std::string::npos && end > 16);
  BOOST_TEST(has(oxbow_("run " + out + parameters).output, run.output.substr(end - 16, 16)), "the loss's checksum");
  BOOST_TEST(oxbow_("run xor" + parameters).output ==
             "oxbow: " + out +
                 "/training.safetensors has \"dense/kernel\", but no variable of the graph has this name.\n");
}

BOOST_AUTO_TEST_CASE(a_loss_that_is_not_finite_is_told) {
  const TemporaryFolder folder;
  const std::string out = folder / "out";
  const Finished run = oxbow_("train --optimizer sgd --learning-rate 1e30 --batch-size 16 --epochs 1 --out " + out +
                              small_mnist(folder, 64, 8));
  BOOST_TEST(run.code == 0);
  BOOST_TEST(has(run.output, "epoch  1/1  loss nan"), run.output);
  BOOST_TEST(run.output.ends_with("the loss is no longer finite: oxbow lr judge " + out +
                                  "/history.csv tells more, and so does --check-numerics\n"),
             run.output);
  BOOST_TEST(oxbow_("lr judge " + out + "/history.csv").output.starts_with("diverging: the loss of step "));
}

// With norms and event files, and in two halves: the same history and picture as in one go.
BOOST_AUTO_TEST_CASE(recorded_norms_and_event_files_go_on_with_a_resumed_training) {
  const TemporaryFolder folder;
  const std::string how = "train --batch-size 16 --record norms --threads 1" + small_mnist(folder, 64, 8) +
                          " --tensorboard " + (folder / "runs") + " --out ";
  BOOST_REQUIRE(oxbow_(how + (folder / "whole") + " --epochs 4").code == 0);
  BOOST_REQUIRE(oxbow_(how + (folder / "parts") + " --epochs 2").code == 0);
  const Finished rest = oxbow_(how + (folder / "parts") + " --epochs 4 --resume");
  BOOST_TEST(rest.code == 0, rest.output);
  BOOST_TEST(has(rest.output, "norms        " + (folder / "parts/norms.svg\n")), rest.output);
  BOOST_TEST(has(rest.output, "scalars      tensorboard --logdir " + (folder / "runs\n")), rest.output);
  const std::string history = folder.read("whole/history.csv");
  BOOST_TEST(history.find("step,epoch,learning_rate,loss,gradient_norm,update_ratio,gradient_norm/dense/kernel,") ==
             0u);
  for (const char* name : {"history.csv", "loss.svg", "norms.svg", "training.safetensors"})
    BOOST_TEST((folder.read("whole/" + std::string(name)) == folder.read("parts/" + std::string(name))), name);
  const Finished drawn = oxbow_("plot " + (folder / "whole/history.csv") + " --column 'gradient_norm*'");
  for (const char* name : {">all<", ">dense/kernel<", ">dense_2/bias<"}) BOOST_TEST(has(drawn.output, name), name);
  BOOST_TEST(has(oxbow_("plot " + (folder / "whole/history.csv") + " --column 'grad*/conv*'").output,
                 "there is no column \"grad*/conv*\". There are: step, epoch, "));
  BOOST_TEST(has(oxbow_("train --record gradients").output, "--record: gradients not in {norms}"));
}

// A rate that is too large leaves the picture of the others at once, and does not flatten them.
BOOST_AUTO_TEST_CASE(a_run_that_blows_up_leaves_the_picture_to_the_others) {
  const TemporaryFolder folder;
  std::string good = "loss\n", bad = "loss\n";
  for (int i = 0; i < 90; ++i) {
    good += std::to_string(2.0 / (1 + i)) + "\n";
    bad += std::to_string(2.0 * std::pow(10, std::min(i, 30))) + "\n";
  }
  const std::string files = folder.write("good.csv", good) + " " + folder.write("bad.csv", bad);
  const std::string picture = oxbow_("plot --smooth 8 " + files).output;
  BOOST_TEST(has(picture, ">bad (leaves the picture)</text>"), picture);
  BOOST_TEST(has(picture, ">10</text>"));
  for (const char* beyond : {">100</text>", ">1000</text>", "e+"}) BOOST_TEST(!has(picture, beyond), beyond);
}

BOOST_AUTO_TEST_CASE(data_that_do_not_fit_end_training_with_a_message) {
  const TemporaryFolder folder;
  const Finished label = oxbow_("train --epochs 1 --out " + (folder / "out") + small_mnist(folder, 64, 8, 77));
  BOOST_TEST(label.code == 1);
  BOOST_TEST(has(label.output, "oxbow: cross_entropy"), label.output);
  BOOST_TEST(has(label.output, "label 77 in row 0 is not one of the 10 classes"), label.output);
  BOOST_TEST(has(label.output, "at tools/examples/mnist_mlp.cpp:"), label.output);
  const Finished none = oxbow_("train --epochs 1 --out " + (folder / "out") + small_mnist(folder, 0, 8));
  BOOST_TEST(none.code == 1);
  BOOST_TEST(has(none.output, "oxbow: fit: the data have no samples"), none.output);
}

BOOST_AUTO_TEST_CASE(ctrl_c_keeps_what_was_learned) {
  const TemporaryFolder folder;
  const std::string out = folder / "out";
  // A shell of its own waits for the first epoch's line, and then sends the signal.
  const Finished run = oxbow::test::command("sh -c '" + programs + "oxbow train --epochs 100000 --out " + out +
                                            small_mnist(folder, 64, 8) + " > " + (folder / "log") +
                                            " 2>&1 & p=$!; until grep -q epoch " + (folder / "log") +
                                            "; do sleep 0.05; done; kill -INT $p; wait $p; exit $?'");
  BOOST_TEST(run.code == 130);
  const std::string log = folder.read("log");
  BOOST_TEST(has(log, "interrupted after "), log.substr(log.size() - std::min<std::size_t>(log.size(), 500)));
  for (const char* name : {"loss.svg", "parameters.safetensors", "graph.txt", "graph.svg"})
    BOOST_TEST(folder.read("out/" + std::string(name)).size() > 1000, name);
}

BOOST_AUTO_TEST_CASE(two_trainings_do_not_share_a_folder) {
  const TemporaryFolder folder;
  const std::string out = folder / "out", how = "train --out " + out + small_mnist(folder, 64, 8) + " --epochs ";
  const std::string state = out + "/training.safetensors";
  // The first one has written its state when the others come.
  const Finished run = oxbow::test::command(
      "sh -c '" + programs + "oxbow " + how + "100000 > " + (folder / "log") + " 2>&1 & p=$!; until [ -e " + state +
      " ]; do kill -0 $p || break; sleep 0.05; done; for more in \"\" --resume; do " + programs + "oxbow " + how +
      "1 $more; echo code $?, first is $p; done; kill -INT $p; wait $p; exit $?' 2>&1");
  BOOST_TEST(run.code == 130, run.output);
  const std::string who = run.output.substr(run.output.rfind(" is ") + 4);
  const std::string refused = "oxbow: " + state + " is in use: process " + who.substr(0, who.find('\n')) +
                              " writes it. Give another path, or wait until that has ended\n"
                              "  Name another folder with --out\ncode 1, first is " +
                              who;
  BOOST_TEST(run.output == refused + refused);
  const Finished after = oxbow_(how + "1");
  BOOST_TEST(after.code == 0, after.output);
  BOOST_TEST(oxbow::test::command("ls -A " + out).output ==
             "graph.svg\ngraph.txt\nhistory.csv\nloss.svg\nparameters.safetensors\ntraining.safetensors\n");
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_told) {
  const TemporaryFolder folder;
  const std::string disk = folder / "disk";
  const bool mounted =
      ::geteuid() == 0 &&
      oxbow::test::command("mkdir " + disk + " && mount -t tmpfs -o size=1m tmpfs " + disk + " 2>&1").code == 0;
  if (!mounted) return;  // only root has a small disk at hand
  const std::string how = "train --epochs 3 --batch-size 16" + small_mnist(folder, 64, 8) + " --out ";
  const Finished none = oxbow_(how + disk);
  BOOST_TEST(none.code == 1);
  BOOST_TEST(has(none.output, "oxbow: cannot write " + disk + "/training.safetensors: No space left on device\n"),
             none.output);

  // Room for one state, and not for the next one beside it: the first one stays, and training goes on from it.
  const auto resize = [&](const std::string& size) {
    oxbow::test::command("mount -o remount,size=" + size + " " + disk + " 2>&1");
  };
  resize("10m");
  const Finished one = oxbow_(how + disk);
  BOOST_TEST(one.code == 1);
  BOOST_TEST(has(one.output, "/training.safetensors: No space left on device (the file that was there is unchanged)\n"),
             one.output);
  resize("40m");
  const Finished rest = oxbow_(how + disk + " --resume");
  BOOST_TEST(rest.code == 0, rest.output);
  BOOST_TEST(has(rest.output, "resumed after 4 steps\n"), rest.output);
  BOOST_TEST(oxbow_(how + (folder / "whole")).code == 0);
  for (const char* name : {"training.safetensors", "history.csv"})
    BOOST_TEST(folder.read("disk/" + std::string(name)) == folder.read("whole/" + std::string(name)), name);
  oxbow::test::command("umount " + disk);
}

BOOST_AUTO_TEST_SUITE_END()
