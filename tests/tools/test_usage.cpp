// Help, wrong usage and failures of the `oxbow` program: exit codes and messages, as a shell user meets them.
#include <dump/dump.h>
#include <examples/examples.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/optimizer.h>

#include <boost/test/unit_test.hpp>

#include "support/program.h"

BOOST_AUTO_TEST_SUITE(test_usage)

using oxbow::examples::Example;
using oxbow::examples::examples;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(help_teaches_and_returns_0) {
  for (const char* command : {"", "train ", "dump ", "diff ", "explain ", "bench ", "plot ", "lr ", "lr judge ",
                              "lr find ", "lr sharpness ", "lr path "}) {
    const Finished help = oxbow_(std::string(command) + "--help");
    BOOST_TEST(help.code == 0);
    BOOST_TEST(has(help.output, "Examples:\n"), help.output);
  }
}

BOOST_AUTO_TEST_CASE(wrong_usage_returns_2_and_says_what_there_is) {
  const std::string top = "\nRun oxbow --help to see what there is\n";
  const std::string train = "\nRun oxbow train --help to see what there is\n";
  std::string formats_there;
  for (const auto& format : oxbow::tools::formats())
    formats_there += (formats_there.empty() ? "" : ",") + std::string(format.name);
  const std::pair<const char*, std::string> cases[] = {
      {"", "oxbow: A subcommand is required" + top},
      {"trian", "oxbow: there is no command \"trian\". Did you mean \"train\"?" + top},
      {"train --epochs 0", "oxbow: --epochs: 0 is not a number greater than 0" + train},
      {"train --epochs ten", "oxbow: --epochs: ten is not a number greater than 0" + train},
      {"train --learning-rate nan", "oxbow: --learning-rate: nan is not a number greater than 0" + train},
      {"train --learning-rate inf", "oxbow: --learning-rate: inf is not a number greater than 0" + train},
      {"train --learning-rate -1", "oxbow: --learning-rate: -1 is not a number greater than 0" + train},
      {"lr path --rate -1",
       "oxbow: --rate: -1 is not a number greater than 0\nRun oxbow lr path --help to see what there is\n"},
      {"lr path --curvature nan",
       "oxbow: --curvature: nan is not a number greater than 0\nRun oxbow lr path --help to see what there is\n"},
      {"plot losses.csv --smooth -1",
       "oxbow: --smooth: Value -1 not in range 1 to 1000000000\nRun oxbow plot --help to see what there is\n"},
      {"plot losses.csv -o losses.png",
       "oxbow: --out: losses.png is neither an .svg nor an .html file, the formats of plots\nRun oxbow plot --help to "
       "see what "
       "there is\n"},
      {"lr", "oxbow: A subcommand is required\nRun oxbow lr --help to see what there is\n"},
      {"train --threads 100000", "oxbow: --threads: Value 100000 not in range 1 to 256" + train},
      {"train --seed -1", "oxbow: --seed: -1 is not a whole number from 0 to 18446744073709551615" + train},
      {"train --seed 18446744073709551616",
       "oxbow: --seed: 18446744073709551616 is not a whole number from 0 to 18446744073709551615" + train},
      {"train --seed 1.5", "oxbow: --seed: 1.5 is not a whole number from 0 to 18446744073709551615" + train},
      {"lr find --seed -1",
       "oxbow: --seed: -1 is not a whole number from 0 to 18446744073709551615\nRun oxbow lr find --help to see what "
       "there is\n"},
      {"train '\x1b[2J\u202e' x", "oxbow: The following argument was not expected: x" + train},
      {"train x '\x1b[2J\u202e'", "oxbow: The following argument was not expected: \\x1b[2J\\u202e" + train},
      {"train --speed 3", "oxbow: there is no option \"--speed\". Did you mean \"--seed\"?" + train},
      {"train --epoch 3", "oxbow: there is no option \"--epoch\". Did you mean \"--epochs\"?" + train},
      {"train --ema nan", "oxbow: --ema: nan is not a number from 0 to less than 1" + train},
      {"lr fnd",
       "oxbow: there is no command \"fnd\". Did you mean \"find\"?\nRun oxbow lr --help to see what there is\n"},
      {"nosuch --help", "oxbow: there is no command \"nosuch\".\nRun oxbow --help to see what there is\n"},
      {"--help trian",
       "oxbow: there is no command \"trian\". Did you mean \"train\"?\nRun oxbow --help to see what there is\n"},
      {"nosuch --version", "oxbow: there is no command \"nosuch\".\nRun oxbow --help to see what there is\n"},
      {"lr fnd --help",
       "oxbow: there is no command \"fnd\". Did you mean \"find\"?\nRun oxbow lr --help to see what there is\n"},
      {"train --sped --help", "oxbow: there is no option \"--sped\". Did you mean \"--seed\" or \"--set\"?" + train},
      {"train x y --help", "oxbow: The following argument was not expected: y" + train},
      {"run xor --steps 0",
       "oxbow: --steps: 0 is not a number greater than 0\nRun oxbow run --help to see what there is\n"},
      {"dump", "oxbow: graph is required\nRun oxbow dump --help to see what there is\n"},
      {"dump xor -f bmp",
       "oxbow: --format: bmp not in {" + formats_there + "}\nRun oxbow dump --help to see what there is\n"},
      {"bench --seconds nan",
       "oxbow: --seconds: nan is not a number greater than 0\nRun oxbow bench --help to see what there is\n"},
  };
  for (const auto& [arguments, said] : cases) {
    const Finished run = oxbow_(arguments);
    BOOST_TEST(run.code == 2, arguments);
    BOOST_TEST(run.output == said, arguments);
  }
}

BOOST_AUTO_TEST_CASE(what_fails_returns_1_and_says_why) {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("graph.txt", "oxbow graph 1\nseed 0\nnext_stream 1\n\nforward:\n  %x = inptu {} : f32[2\n");
  const std::string plain = folder.write("plain", "");
  std::string examples_there;
  for (const Example& e : examples())
    examples_there += "  " + std::string(e.name) + std::string(19 - e.name.size(), ' ') + std::string(e.what) + "\n";
  std::vector<std::string> suffixes;
  for (const auto& format : oxbow::tools::formats()) suffixes.push_back("." + std::string(format.extension));
  const std::string suffixes_there = oxbow::internal::listed(suffixes);
  const std::string optimizers_there = oxbow::internal::listed(oxbow::optim::optimizer_names());
  const std::string folder_name = folder / "";
  const std::pair<std::string, std::string> cases[] = {
      {"dump nothing", "\"nothing\" is neither a file that can be read nor an example. There are:\n" + examples_there},
      {"train mnist_mpl" + mnist,
       "\"mnist_mpl\" is neither a file that can be read nor an example. Did you mean \"mnist_mlp\" or \"mnist_cnn\"? "
       "There are:\n" +
           examples_there},
      {"dump /", "\"/\" is neither a file that can be read nor an example. There are:\n" + examples_there},
      {"dump " + file, file + ":7:1: expected ']' or ',' in the sizes of a shape, found the end of the text\n"},
      {"dump " + plain,
       plain + ":1:1: expected \"oxbow graph 1\" at the start of a graph's text, found the end of the text\n"},
      {"dump /proc/self/mem", "cannot read /proc/self/mem: Input/output error\n"},
      {"profile " + file, file + ":7:1: expected ']' or ',' in the sizes of a shape, found the end of the text\n"},
      {"dump mnist_mlp --plan --size x=32",
       "equal: shapes [32] and [64] do not broadcast: axis -1 is 32 in one and 64 in the other\n"
       "  a: i64[32] from argmax_16\n  b: i64[64] from label\n  at tools/examples/mnist_mlp.cpp:16\n"
       "  Make the sizes equal, or one of them 1\n"
       "  These inputs keep their example sizes: label [64]\n"
       "  Give sizes for them too, or for all inputs at once: --size 32\n"},
      {"dump xor -o graph.pdf",
       "no format goes by the suffix of graph.pdf: say which with --format, or use one of " + suffixes_there + "\n"},
      {"dump xor --without fuse",
       "this is the graph as built; how it is compiled shows with --plan, --after or --all\n"},
      {"dump xor -o /dev/full", "cannot write to /dev/full\n"},
      {"plot /", "cannot read /: it is a folder\n"},
      {"dump xor -o /nowhere/x", "cannot create /nowhere/x: No such file or directory\n"},
      {"dump xor > /dev/full", "cannot write to standard output\n"},
      {"--help > /dev/full", "cannot write to standard output\n"},
      {"dump --help > /dev/full", "cannot write to standard output\n"},
      {"train custom_op" + mnist,
       "custom_op has no output \"loss\", which training needs\n  Call add_output(\"loss\", value) where the graph is "
       "built\n"},
      {"train --optimizer adma" + mnist,
       "there is no optimizer \"adma\". Did you mean \"adam\" or \"adamax\"? Known are: " + optimizers_there + "\n"},
      {"train --data /nowhere",
       "there is neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz in /nowhere\n  Name a file of "
       "samples, .npz, .safetensors or .csv, or the folder of the four MNIST files, with --data\n"},
      {"train --out " + plain + mnist,
       "cannot make the folder " + plain + ": Not a directory\n  Name another one with --out\n"},
      {"train --out /proc" + mnist,
       "cannot create /proc/training.safetensors.oxbow-lock: No such file or directory\n"
       "  Name another folder with --out\n"},
      {"dump '\x1b[2J'",
       "\"\\x1b[2J\" is neither a file that can be read nor an example. There are:\n" + examples_there},
  };
  for (const auto& [arguments, said] : cases) {
    const Finished run = oxbow::test::command(programs + "oxbow 2>&1 >/dev/null " + arguments);
    BOOST_TEST(run.code == 1, arguments);
    BOOST_TEST(run.output == "oxbow: " + said, arguments);
  }
}

BOOST_AUTO_TEST_CASE(bench_lists_its_nets_beside_the_examples) {
  const Finished run = oxbow_("bench lenett");
  BOOST_TEST(run.code == 1);
  BOOST_TEST(has(run.output, "\"lenett\" is neither a file that can be read nor an example. There are:\n  "),
             run.output);
  BOOST_TEST(has(run.output, "\nOr these nets of bench:\n  mlp "), run.output);
}

BOOST_AUTO_TEST_CASE(where_nobody_can_be_told_it_fails_all_the_same) {
  for (const char* nowhere : {"/dev/full", "&-"}) {
    const Finished run = oxbow::test::command(programs + "oxbow dump nothing 2>" + nowhere);
    BOOST_TEST(run.code == 1, nowhere);
  }
  // A closed stream's number goes to no file that is written: what is printed would go there.
  const TemporaryFolder folder;
  const std::string to = "train --epochs 1" + small_mnist(folder, 64, 8) + " --out ";
  const Finished deaf = oxbow::test::command(programs + "oxbow 2>&1 >&- " + to + (folder / "deaf"));
  BOOST_TEST(deaf.code == 1);
  BOOST_TEST(deaf.output == "oxbow: cannot write to standard output\n");
  BOOST_TEST(oxbow::test::command(programs + "oxbow >&- 2>&- <&- " + to + (folder / "mute")).code == 1);
  BOOST_TEST(oxbow_(to + (folder / "told")).code == 0);
  for (const char* name : {"training.safetensors", "parameters.safetensors", "history.csv", "graph.txt", "loss.svg"})
    for (const char* out : {"deaf/", "mute/"})
      BOOST_TEST(folder.read(std::string(out) + name) == folder.read(std::string("told/") + name), out << name);
  BOOST_TEST(oxbow_("--version").output.starts_with("oxbow 0."));
  BOOST_TEST(oxbow_("dump xor -o /dev/stdout").output == oxbow_("dump xor").output);
}

BOOST_AUTO_TEST_SUITE_END()
