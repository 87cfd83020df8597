// The `oxbow` program and the examples as a shell user meets them: exit codes, messages, files.
#include <examples/examples.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/tools/dump/dump.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdio>

#include "support/program.h"

BOOST_AUTO_TEST_SUITE(test_cli)

using oxbow::examples::Example;
using oxbow::examples::examples;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(a_dump_reads_back_and_is_the_same_each_time) {
  const TemporaryFolder folder;
  for (const Example& e : examples()) {
    const std::string name(e.name);
    const Finished first = oxbow_("dump " + name);
    BOOST_TEST(first.code == 0);
    BOOST_TEST(has(first.output, "\noutputs:\n"), name);
    BOOST_TEST(oxbow_("dump " + name).output == first.output, name << ": two runs");
    BOOST_TEST(oxbow_("dump " + folder.write(name + ".txt", first.output)).output == first.output,
               name << ": read back");
    const Finished dot = oxbow_("dump -f dot " + name);
    BOOST_TEST(dot.code == 0);
    BOOST_TEST(oxbow_("dump -f dot " + (folder / (name + ".txt"))).output == dot.output, name);
  }
  BOOST_TEST(oxbow_("dump xor -o " + (folder / "xor.svg")).output == "");
  BOOST_TEST(folder.read("xor.svg").starts_with("<?xml"));
  BOOST_TEST(oxbow_("dump xor -f mermaid -o " + (folder / "xor.dot")).output == "");
  BOOST_TEST(folder.read("xor.dot") == oxbow_("dump xor -f mermaid").output, "what --format says goes before a suffix");
  BOOST_TEST(has(oxbow_("dump xor --locations").output, " at \"tools/examples/xor.cpp\":"));
}

// It ends as shells expect, by the signal and with nothing said; who ignores that is told of a failed write.
BOOST_AUTO_TEST_CASE(a_reader_that_leaves_early_does_no_harm) {
  const TemporaryFolder folder;
  const auto first_line = [&](const std::string& before) {  // of more than a pipe holds
    return oxbow::test::command(before + "cd " + (folder / "") + "; (" + programs +
                                "oxbow dump mnist_cnn --all 2> said; echo $? > code) | head -n 1; cat code said")
        .output;
  };
  BOOST_TEST(first_line("").ends_with(" ====\n141\n"));
  BOOST_TEST(first_line("trap '' PIPE; ").ends_with(" ====\n1\noxbow: cannot write to standard output\n"));
}

BOOST_AUTO_TEST_CASE(a_graph_with_an_unknown_op_is_drawn_but_not_run) {
  const TemporaryFolder folder;
  const std::string file = folder.write("gaussian.txt", oxbow_("dump custom_op").output);
  const Finished run = oxbow_("bench --seconds 0.01 " + file);
  BOOST_TEST(run.code == 1);
  BOOST_TEST(has(run.output, "the op \"gaussian\" is not in the catalogue, so it cannot be compiled"), run.output);
  BOOST_TEST(has(run.output, "Add the op to the catalogue that the graph is read with"), run.output);
}

BOOST_AUTO_TEST_CASE(the_examples_print_what_they_promise) {
  const Finished line = oxbow::test::command(programs + "linear_regression");
  double w = 0, b = 0;
  const std::size_t last = line.output.find("w = ");
  BOOST_REQUIRE(last != std::string::npos);
  BOOST_TEST(std::sscanf(line.output.c_str() + last, "w = %lf (3), b = %lf (-1)", &w, &b) == 2);
  BOOST_TEST(std::abs(w - 3) < 0.05);
  BOOST_TEST(std::abs(b + 1) < 0.05);

  const Finished bits = oxbow::test::command(programs + "xor");
  double y[4] = {};
  const std::size_t table = bits.output.find("0^0");
  BOOST_REQUIRE(table != std::string::npos);
  BOOST_TEST(std::sscanf(bits.output.c_str() + table, "0^0 = %lf 0^1 = %lf 1^0 = %lf 1^1 = %lf", &y[0], &y[1], &y[2],
                         &y[3]) == 4);
  for (int i = 0; i < 4; ++i) BOOST_TEST(std::abs(y[i] - (i == 1 || i == 2 ? 1 : 0)) < 0.2);

  const Finished custom = oxbow::test::command(programs + "custom_op");
  BOOST_TEST(custom.output ==
             "y =  0.018  slope = 0.0733\ny =  0.368  slope = 0.7358\ny =  0.779  slope = 0.7788\n"
             "y =  0.368  slope = -0.7358\ny =  0.018  slope = -0.0733\n");
  for (const char* name : {"mnist_mlp", "mnist_cnn"}) {
    const Finished none = oxbow::test::command(programs + name + " /nowhere 2>&1");
    BOOST_TEST(none.code == 1);
    BOOST_TEST(has(none.output, "there is neither train-images-idx3-ubyte"), none.output);
  }
}

BOOST_AUTO_TEST_CASE(diff_returns_what_diff_does) {
  const TemporaryFolder folder;
  const std::string a = folder / "a.txt", b = folder / "b.txt", plan = folder / "plan.txt";
  BOOST_TEST(oxbow_("dump xor -o " + a).code == 0);
  BOOST_TEST(oxbow_("dump linear_regression -o " + b).code == 0);
  BOOST_TEST(oxbow_("diff xor " + a).code == 0);
  BOOST_TEST(oxbow_("diff xor " + a).output == "");
  const Finished different = oxbow_("diff " + a + " " + b);
  BOOST_TEST(different.code == 1);
  BOOST_TEST(different.output.starts_with("--- " + a + "\n+++ " + b + "\n"));
  BOOST_TEST(oxbow_("diff " + a + " " + b + " -o " + (folder / "d.svg")).code == 1);
  BOOST_TEST(has(folder.read("d.svg"), "legend"));
  const Finished no_page = oxbow_("diff " + a + " " + b + " -o " + (folder / "d.html"));
  BOOST_TEST(no_page.code == 2);
  BOOST_TEST(no_page.output ==
             "oxbow: cannot write " + (folder / "d.html") + ": a difference is text, dot, svg or png\n");
  BOOST_TEST(oxbow_("diff xor nowhere.txt").code == 2);
  const Finished full = oxbow::test::command(programs + "oxbow 2>&1 >/dev/full diff " + a + " " + b);
  BOOST_TEST(full.code == 2);
  BOOST_TEST(full.output == "oxbow: cannot write to standard output\n");
  folder.write("bad.txt", "oxbow graph 1\nseed 0\nnext_stream 1\n\nforward:\n  %x = relu(%y) : f32[2]\n");
  for (const std::string command : {"diff xor ", "dump ", "explain "}) {
    const Finished bad = oxbow_(command + (folder / "bad.txt") + (command == "explain " ? " %x" : ""));
    BOOST_TEST(bad.code == (command == "diff xor " ? 2 : 1));
    BOOST_TEST(bad.output == "oxbow: " + (folder / "bad.txt") + ":6:13: there is no node %y above\n");
  }
  // A plan is accepted wherever a graph is, and printed as it stands.
  BOOST_TEST(oxbow_("dump xor --plan --threads 2 -o " + plan).code == 0);
  BOOST_TEST(oxbow_("dump " + plan).output == folder.read("plan.txt"));
  BOOST_TEST(oxbow_("diff xor " + plan + " --plan --threads 2").code == 0);
  BOOST_TEST(oxbow_("diff xor " + plan)
                 .output.starts_with("oxbow: only " + plan +
                                     " holds a plan, so graphs are compared: --plan makes the other's plan too\n"));
  BOOST_TEST(oxbow_("diff xor " + plan + " --plan --threads 2 --without fuse").code == 1);
  BOOST_TEST(has(oxbow_("dump xor --plan --without fus").output, "\"fus\" is not a rewrite that can be left out"));
  BOOST_TEST(has(oxbow_("explain " + plan + " %6").output, "  why         saved for backward: read by step "));
  const Finished bench = oxbow_("bench --seconds 0.05 " + plan);
  BOOST_TEST(bench.code == 0, bench.output);
}

// A graph, a training step and a plan as a program of one's own writes them.
BOOST_AUTO_TEST_CASE(every_command_takes_files_of_other_programs) {
  using namespace oxbow;
  const TemporaryFolder folder;
  Graph g;
  const Value x = input(g, "x", f32, {any(8), 5}), label = input(g, "label", i64, {any(8)});
  const Value h = [&] {
    const Scope scope(g, "encoder/layer 1");
    return dropout(dense(x, 6, {.activation = gelu}), 0.5);
  }();
  const Value loss = cross_entropy(dense(h, 3), label).named("loss");  // three classes, so a label is 0, 1 or 2
  g.add_output("the \"loss\"", loss);
  write_file(folder / "forward.txt", print(g, {.locations = false}));
  const std::vector<Value> step = optim::minimize(loss, optim::Adam{}).fetches();
  write_file(folder / "step.txt", print(g));
  write_file(folder / "plan.txt", tools::dump(g, {.plan = true, .compiling = {.threads = 2, .fetches = step}}));
  for (const std::string name : {"forward.txt", "step.txt", "plan.txt"})
    for (const std::string command :
         {"dump", "dump -f json", "dump --all", "diff forward.txt", "explain", "run --random", "profile --steps 3",
          "plan --cores 2 --runs 1", "bench --seconds 0.01"}) {
      const std::string words = command + " " + name + (command == "explain" ? " x" : "");
      const Finished run = oxbow::test::command("cd " + (folder / "") + " && " + programs + "oxbow " + words + " 2>&1");
      const bool differs = command.starts_with("diff") && name != "forward.txt";
      BOOST_TEST(run.code == (differs ? 1 : 0), words << "\n" << run.output);
    }
}

// A file may have been named by anybody. Nothing that a command prints of its name is obeyed by a terminal.
BOOST_AUTO_TEST_CASE(names_of_files_are_printed_with_escapes) {
  const TemporaryFolder folder;
  const std::string bad = "e\x1b[2Jv\u202eil", shown = "e\\x1b[2Jv\\u202eil";
  const std::string net = "'" + folder.write(bad + ".txt", oxbow_("dump mnist_mlp").output) + "'";
  const std::string plan = "'" + folder.write(bad + "p.txt", oxbow_("dump mnist_mlp --plan").output) + "'";
  std::string ones;
  for (int i = 0; i < 40; ++i) ones += "1\n";
  const std::string losses = "'" + folder.write(bad + ".csv", ones) + "'";
  const std::string out = "'" + (folder / bad) + "'", data = small_mnist(folder, 64, 8);
  const std::string commands[] = {
      "train " + net + " --epochs 1 --record norms --out " + out + " --tensorboard " + out + data,
      "train " + net + " --epochs 1 --resume --out " + out + data,
      "lr judge " + losses + " " + losses,
      "lr find " + net + " --steps 25 --batch-size 16 -o " + out + ".svg" + data,
      "lr sharpness " + net + " --products 2" + data,
      "lr path -o " + out + ".txt",
      "profile " + net + " --steps 2",
      "plan " + net + " --cores 2 --runs 1",
      "bench " + net + " --seconds 0.01",
      "dump " + net + " --all -o " + out,
      "dump " + net + "x",
      "diff " + net + " " + plan,
      "diff " + net + " " + net + "x",
      "plot " + losses + " --column a -o " + out + ".svg",
      "--" + out,
      out};
  for (const std::string& command : commands) {
    const std::string said = oxbow_(command).output;
    BOOST_TEST(said.find_first_of("\x1b\r") == std::string::npos, command << "\n" << said);
    BOOST_TEST(!has(said, "\u202e"), command << "\n" << said);
    BOOST_TEST(has(said, shown), command << "\n" << said);
  }
}

BOOST_AUTO_TEST_CASE(explain_offers_near_names) {
  const Finished run = oxbow_("explain mnist_mlp dense/kernl");
  BOOST_TEST(run.code == 1);
  BOOST_TEST(has(run.output, "oxbow: there is no value \"dense/kernl\". Did you mean \"dense/kernel\""));
  BOOST_TEST(has(run.output, "or its label in the dump, such as %"));
}

BOOST_AUTO_TEST_CASE(dump_all_shows_each_stage) {
  const TemporaryFolder folder;
  const Finished text = oxbow_("dump xor --all --threads 1");
  BOOST_TEST(text.code == 0, text.output);
  BOOST_TEST(text.output.starts_with("// ==== built: "));
  BOOST_TEST(has(text.output, "\n\n// ==== specialise: "));
  BOOST_TEST(has(text.output, "\n\n// ==== plan: "));
  BOOST_TEST(oxbow_("dump xor --all --threads 1").output == text.output);
  const Finished listed = oxbow_("dump xor --all --threads 1 -o " + (folder / "stages"));
  BOOST_TEST(listed.output.starts_with("00 built: "), listed.output);
  BOOST_TEST(folder.read("stages/00_built.txt") == oxbow_("dump xor").output);
  const std::string plan = listed.output.substr(listed.output.rfind(", in ") + 5);
  BOOST_TEST(has(plan, "_plan.txt\n"));
  BOOST_TEST(oxbow_("dump " + plan.substr(0, plan.size() - 1)).output == oxbow_("dump xor --plan --threads 1").output);
  BOOST_TEST(oxbow_("dump xor --all -f svg").output ==
             "oxbow: --all makes a svg file of each graph: name their folder with -o FOLDER\n");
  BOOST_TEST(has(oxbow_("dump xor --all --plan").output, "--plan excludes --all"));
}

BOOST_AUTO_TEST_CASE(commands_take_a_budget_of_bytes) {
  const auto peak = [](const std::string& options) {
    const Finished plan = oxbow_("dump mnist_cnn --plan --threads 2 " + options);
    BOOST_TEST(plan.code == 0, plan.output);
    const std::size_t at = plan.output.find("arena_bytes: ");
    BOOST_REQUIRE(at != std::string::npos);
    return std::stol(plan.output.substr(at + 13));
  };
  const long usual = peak(""), budget = usual * 92 / 100;
  BOOST_TEST(peak("--memory-budget " + std::to_string(usual)) == usual);
  BOOST_TEST(peak("--memory-budget 1G") == usual);
  BOOST_TEST(peak("--memory-budget " + std::to_string(budget)) <= budget);
  const Finished plan = oxbow_("dump mnist_cnn --plan --threads 2 --memory-budget " + std::to_string(budget));
  const TemporaryFolder folder;
  BOOST_TEST(oxbow_("dump " + folder.write("plan.txt", plan.output)).output == plan.output, "it reads back");
  const Finished tight = oxbow_("dump mnist_cnn --plan --memory-budget 10k");
  BOOST_TEST(tight.code == 1);
  BOOST_TEST(has(tight.output, "oxbow: the memory budget of 10000 bytes cannot be kept: the smallest plan"),
             tight.output);
  for (const std::string command :
       {"run mnist_mlp --random", "bench mnist_mlp --seconds 0.01", "profile mnist_mlp --steps 2",
        "explain mnist_mlp loss", "dump mnist_mlp --after recompute"}) {
    BOOST_TEST(oxbow_(command + " --memory-budget 100M").code == 0, command);
    BOOST_TEST(oxbow_(command + " --memory-budget 1").code == 1, command);
  }
  for (const std::string wrong : {"many", "10X", "-5", "nan", "1e30", "5kM"}) {
    const Finished refused = oxbow_("dump xor --plan --memory-budget=" + wrong);
    BOOST_TEST(refused.code == 2, wrong << ": " << refused.output);
    BOOST_TEST(has(refused.output, "is not a number of bytes, as in 65536, 200M (millions) or 1.5G"), refused.output);
  }
}

BOOST_AUTO_TEST_CASE(measured_plans_read_back) {
  const TemporaryFolder folder;
  const std::string plan = folder / "plan.txt";
  const Finished run = oxbow_("dump xor --plan --measure --threads 1 -o " + plan);
  BOOST_TEST(run.code == 0, run.output);
  BOOST_TEST(has(folder.read("plan.txt"), ", measured_ns: "));
  BOOST_TEST(has(folder.read("plan.txt"), "\nrun:\n  {step: 0, lane: 0, begin_ns: "));
  BOOST_TEST(oxbow_("dump " + plan).output == folder.read("plan.txt"));
  BOOST_TEST(has(oxbow_("dump " + plan + " -f json").output, "\"measured_ns\":"));
  BOOST_TEST(has(oxbow_("explain " + plan + " %6").output, " measured, "));
  BOOST_TEST(!has(oxbow_("dump xor --plan").output, "measured_ns"));
  BOOST_TEST(oxbow_("dump xor --measure").output == "oxbow: --measure measures the plan: add --plan or --all\n");
}

BOOST_AUTO_TEST_SUITE_END()
