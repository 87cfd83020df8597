// The examples that are whole programs: each runs for an epoch or two, says what it learned, and gets better. README.md
// names all examples, their page these.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "support/command.h"
#include "support/has.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_examples)

using namespace oxbow::test;

namespace {

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What an example prints, called within `folder`.
std::string output(const TemporaryFolder& folder, const std::string& name, const std::string& arguments) {
  const std::string there = std::filesystem::absolute(program(name)).string();
  const auto run = command("cd " + (folder / ".") + " && " + there + " " + arguments + " 2>&1");
  BOOST_TEST(run.code == 0, name << ": " << run.output);
  return run.output;
}

// The number that follows each time that `word` occurs.
std::vector<double> numbers(const std::string& text, const std::string& word) {
  std::vector<double> found;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    double x = 0;
    if (std::sscanf(text.c_str() + at + word.size(), "%lf", &x) == 1) found.push_back(x);
  }
  return found;
}

bool is_picture(const std::string& path) {
  const std::string file = contents(path);
  return file.starts_with("\x89PNG") && file.size() > 1000;
}

void gets_better(const std::string& text, std::size_t epochs, const std::string& word = "loss ") {
  const std::vector<double> losses = numbers(text, word);
  BOOST_REQUIRE_MESSAGE(losses.size() >= epochs, text);
  BOOST_TEST(losses.back() < losses.front(), text);
}

// The begin of a text that the tree holds, so that an epoch takes little time.
std::string some_text(const TemporaryFolder& folder) {
  return folder.write("text", contents(source("LICENSE")).substr(0, 1500));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_variational_autoencoder_draws_digits) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "vae", source("tools/data/mnist10k") + " 2");
  gets_better(said, 2, "  loss ");
  BOOST_TEST(is_picture(folder / "vae.png"));
}

BOOST_AUTO_TEST_CASE(an_autoencoder_shows_what_it_keeps) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "autoencoder", source("tools/data/mnist10k") + " 2");
  gets_better(said, 2);
  BOOST_TEST(has(said, "@"), said);
  BOOST_TEST(std::count(said.begin(), said.end(), '\n') == 2 + 14);
}

BOOST_AUTO_TEST_CASE(letters_follow_letters) {
  const TemporaryFolder folder;
  for (const char* name : {"char_lstm", "gpt"}) {
    const std::string said = output(folder, name, some_text(folder) + " 2");
    gets_better(said, 2);
    const std::size_t begin = said.find('\n', said.find("epoch 2"));
    BOOST_TEST(said.size() - begin == 1 + 400 + 1, name << ": " << said);
  }
}

BOOST_AUTO_TEST_CASE(a_series_is_forecast_better_than_as_yesterday) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "time_series", "2");
  gets_better(said, 2);
  BOOST_TEST(numbers(said, "val_error ").back() < numbers(said, "val_as yesterday ").back(), said);
  for (const double degrees : numbers(said.substr(said.rfind("val_as")), "\n"))
    BOOST_TEST((degrees > -10 && degrees < 35), said);
}

BOOST_AUTO_TEST_CASE(a_table_becomes_a_model_in_a_file) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "flats", source("tools/data/flats.csv") + " 20");
  BOOST_TEST(numbers(said, "error ").at(0) < 200, said);
  BOOST_TEST(numbers(said, ": ").size() == 3U, said);
  const auto served = command(program("oxbow") + " predict " + (folder / "flats.oxb") + " --data " +
                              source("tools/data/flats.csv") + " 2>&1");
  BOOST_TEST(served.code == 0);
  BOOST_TEST(std::count(served.output.begin(), served.output.end(), '\n') == 2001);
}

BOOST_AUTO_TEST_CASE(classes_are_learned_and_predicted_by_another_program) {
  const TemporaryFolder folder;
  const std::string data = source("tools/data/flats.csv"), said = output(folder, "classify", data + " 20");
  BOOST_TEST(numbers(said, "accuracy ").at(0) > 0.6, said);  // one of six
  const std::string rows = output(folder, "predict", "districts.oxb " + data);
  BOOST_TEST(rows.starts_with("district,district=Altstadt,district=Hafen,"), rows.substr(0, 100));
  BOOST_TEST(std::count(rows.begin(), rows.end(), '\n') == 2001);
  const auto bad = command(program("predict") + " " + (folder / "districts.oxb") + " " + source("README.md") + " 2>&1");
  BOOST_TEST(bad.code == 1);
  BOOST_TEST(has(bad.output, "README.md:1:"), bad.output);
}

BOOST_AUTO_TEST_CASE(rents_are_guessed) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "tabular", "10");
  BOOST_TEST(numbers(said, "off by ").at(0) < 200, said);  // they differ by some 700 from their mean
  BOOST_TEST(numbers(said, "guessed ").size() == 5U, said);
}

BOOST_AUTO_TEST_CASE(a_residual_network_reads_digits) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "resnet20", source("tools/data/mnist10k") + " 1");
  BOOST_TEST(numbers(said, "val_accuracy ").at(0) > 0.8, said);
  const std::string other = output(folder, "resnet20", source("tools/data/mnist10k") + " 1 depthwise");
  BOOST_TEST(numbers(other, "val_accuracy ").at(0) > 0.8, other);
  BOOST_TEST(other != said);
}

BOOST_AUTO_TEST_CASE(a_model_from_a_file_is_tuned) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "finetune", source("tools/data/mnist10k"));
  const std::vector<double> accuracy = numbers(said, "accuracy ");
  BOOST_REQUIRE_MESSAGE(accuracy.size() == 2, said);
  BOOST_TEST(accuracy[1] > accuracy[0] + 0.2, said);
  BOOST_TEST(std::filesystem::file_size(folder / "tuned.onnx") > 400'000U);
}

BOOST_AUTO_TEST_CASE(parameters_come_from_pytorch_and_go_back) {
  const TemporaryFolder folder;
  const std::string digits = source("tools/data/digits.safetensors");
  const std::string said = output(folder, "torch_weights", source("tools/data/mnist10k") + " 1 " + digits);
  const std::vector<double> loss = numbers(said, "loss "), accuracy = numbers(said, "accuracy ");
  BOOST_REQUIRE_MESSAGE(loss.size() == 4, said);
  BOOST_TEST(std::abs(loss[0] - 0.21156) < 2e-5, said);  // what PyTorch says of the file
  BOOST_TEST(accuracy[0] == 0.927, said);
  BOOST_TEST(accuracy[3] > accuracy[1] + 0.1, said);
  const std::string again =
      output(folder, "torch_weights", source("tools/data/mnist10k") + " 0 " + (folder / "tuned.safetensors"));
  BOOST_TEST(numbers(again, "loss ").at(0) == loss[2], again);
}

BOOST_AUTO_TEST_CASE(pixels_are_told_apart) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "unet", "2");
  gets_better(said, 2);
  BOOST_TEST(numbers(said, "val_accuracy ").back() > 0.9, said);
  BOOST_TEST(is_picture(folder / "unet.png"));
}

BOOST_AUTO_TEST_CASE(words_of_one_kind_are_near) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "word2vec", "4");
  gets_better(said, 4);
  BOOST_TEST(numbers(said, "of 40 words, ").at(0) > 30, said);
}

BOOST_AUTO_TEST_CASE(a_network_obeys_an_equation) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "pinn", "800");
  BOOST_TEST(numbers(said, "off by more than ").at(0) < 0.2, said);
  BOOST_TEST(has(contents(folder / "pinn.svg"), "exact"));
}

BOOST_AUTO_TEST_CASE(an_equations_constants_are_found) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "ode", "400");
  gets_better(said, 4);
  BOOST_TEST(std::abs(numbers(said, "births ").at(0) - 1.1) < 0.1, said);
  BOOST_TEST(std::abs(numbers(said, "deaths ").at(0) - 0.4) < 0.1, said);
}

BOOST_AUTO_TEST_CASE(parts_of_ones_own_train_a_model) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "own_parts", "120");
  BOOST_TEST(numbers(said, "epochs ").at(0) > 90, said);
}

BOOST_AUTO_TEST_CASE(the_tools_take_a_graph_of_ones_own) {
  const TemporaryFolder folder;
  output(folder, "own_graph", "4000");
  const auto oxbow = [&](const std::string& arguments) { return output(folder, "oxbow", arguments); };
  BOOST_TEST(has(oxbow("dump spirals.txt"), "\"loss\" = "));
  oxbow("dump spirals.txt --plan -o step.html");
  BOOST_TEST(contents(folder / "step.html").size() > 50'000U);
  BOOST_TEST(has(oxbow("plan spirals.txt --cores 2"), "speed-up"));
  BOOST_TEST(has(oxbow("profile spirals.txt --steps 3"), "product"));
  BOOST_TEST(has(oxbow("lr find spirals.txt --data train.npz -o lr.svg"), "minimum/10"));
  BOOST_TEST(has(oxbow("lr sharpness spirals.txt --data train.npz"), "sharpness"));
  const std::string said = oxbow("train spirals.txt --data train.npz --test test.npz --epochs 30 --learning-rate 0.01");
  BOOST_TEST(numbers(said, "accuracy ").back() > 0.9, said);
}

BOOST_AUTO_TEST_CASE(points_are_made_like_others) {
  const TemporaryFolder folder;
  const std::string said = output(folder, "wgan_gp", "900");
  int in_heaps = 0;
  std::istringstream counts(said);
  for (int heap = 0, n = 0; heap < 8 && counts >> n; ++heap) in_heaps += n;
  BOOST_TEST(in_heaps > 200, said);
  BOOST_TEST(has(contents(folder / "wgan_gp.svg"), "made"));
}

BOOST_AUTO_TEST_CASE(a_pole_stands_longer) {
  const TemporaryFolder folder;
  const std::vector<double> steps = numbers(output(folder, "cartpole", "30"), "it stands for ");
  BOOST_REQUIRE(steps.size() == 3u);
  BOOST_TEST(steps[2] > 1.5 * steps[0]);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_an_error) {
  const TemporaryFolder folder;
  for (const char* name : {"vae", "autoencoder", "resnet20"}) {
    const auto run = command(program(name) + " " + (folder / "nowhere") + " 2>&1");
    BOOST_TEST(run.code == 1);
    BOOST_TEST(has(run.output, "there is neither train-images-idx3-ubyte"), run.output);
  }
}

BOOST_AUTO_TEST_CASE(the_pages_name_all_examples) {
  const std::string readme = contents(source("README.md")), page = contents(source("tools/docs/examples.md"));
  for (const auto& entry : std::filesystem::directory_iterator(source("tools/examples"))) {
    const std::string name = entry.path().stem().string(), text = contents(entry.path().string());
    if (!has(text, "int main(")) continue;
    BOOST_TEST(has(readme, "`" + name + "`"), "README.md does not name " << name);
    const bool whole = !has(text, "#include \"examples.h\"");
    BOOST_TEST((!whole || has(page, "\n## " + name + "\n")), "tools/docs/examples.md does not show " << name);
    BOOST_TEST((!whole || std::count(text.begin(), text.end(), '\n') <= 60), name << " is long");
  }
}

BOOST_AUTO_TEST_SUITE_END()
