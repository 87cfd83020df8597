// Kills trainings at random moments and resumes them, until each has ended as one that was never killed:
//   kill_trainings KILLS [SEED]             over all option sets; prints what it found, 0 when nothing was lost
//   kill_trainings SET FOLDER               trains one of them to its end in FOLDER, from the state that is there
// CTest runs some dozen kills; 1,000 take some minutes.
#include <fcntl.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/files/input_file.h>
#include <sys/wait.h>
#include <tensorboard.pb.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include "history/tensorboard.h"
#include "history/writer.h"
#include "support/figures.h"

using namespace oxbow;
namespace fs = std::filesystem;

namespace {

constexpr int epochs = 14, samples = 83, batch = 8, minibatches_per_epoch = (samples + batch - 1) / batch;
const std::vector<std::string> sets = {"accumulation", "averages", "plateau", "tensorboard", "early_stopping"};

Dataset data(std::uint64_t seed) {
  Tensor x = draw({samples, 5}, -1, 1, seed, f32), y({f32, {samples, 1}});
  for (std::int64_t i = 0; i < samples; ++i) y.data<float>()[i] = x.data<float>()[5 * i] * x.data<float>()[5 * i + 1];
  return {{"x", x}, {"y", y}};
}

// Rows up to the state's; what was written after it comes again.
tools::Table rows_until(const std::string& path, std::int64_t minibatches) {
  if (minibatches == 0) return {};
  tools::Table t = tools::read_table(path);
  for (auto& column : t.values) column.resize(static_cast<std::size_t>(minibatches));
  return t;
}

void train(const std::string& set, const fs::path& folder) {
  Graph g;
  const Value x = input(g, "x", f32, {any(8), 5}), y = input(g, "y", f32, {any(8), 1});
  const Value loss = mean(square(dense(dropout(dense(x, 16, {.activation = relu}), 0.2), 1) - y));
  optim::Rate rate = 0.05;
  if (set == "plateau") rate = optim::Plateau{.initial = 0.05, .factor = 0.5, .patience = 1};
  Model model = compile(
      loss, optim::SGD{.learning_rate = rate, .momentum = 0.9},
      {.minimize = {.accumulate = set == "accumulation" ? 3 : 1,
                    .average = set == "averages" ? optim::Average(optim::EMA{.decay = 0.9}) : optim::Average()}});
  const std::string state = folder / "state", path = folder / "history.csv";
  if (internal::something_at(state)) model.load(state);
  tools::HistoryWriter history(path, rows_until(path, model.minibatches()));
  const tools::TensorBoard board(folder / "runs");
  const auto before = [&] {
    history.save();
    board.flush();
  };
  std::vector<Callback> callbacks = {{.on_step = [&](Progress& p) {
    history.add_row();
    history.set("step", static_cast<double>(p.model.minibatches()));
    history.set("loss", p.loss);
  }}};
  if (set == "tensorboard") callbacks.push_back(board.callback());
  callbacks.push_back(checkpoint(state, 4, before));
  FitOptions options{.epochs = epochs, .batch_size = batch, .seed = 5, .callbacks = callbacks, .resume = true};
  if (set == "early_stopping") {
    options.validation = data(4);
    options.early_stopping = EarlyStopping{.patience = 4};
  }
  model.fit(data(3), options);
  model.save(folder / "end", Saved::training);
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The losses by step that TensorBoard shows of a folder: a file's start takes away what earlier ones have from there
// on.
std::map<std::int64_t, float> scalars(const fs::path& folder) {
  std::set<fs::path> files;
  if (fs::exists(folder)) files.insert(fs::directory_iterator(folder), {});
  std::map<std::int64_t, float> shown;
  for (const fs::path& file : files) {
    const std::string all = read(file);
    for (std::size_t at = 0; at + 12 <= all.size();) {
      std::uint64_t size = 0;
      std::memcpy(&size, all.data() + at, sizeof size);
      tensorboard::Event event;
      if (at + 16 + size > all.size() || !event.ParseFromArray(all.data() + at + 12, static_cast<int>(size))) break;
      if (event.has_session_log()) shown.erase(shown.lower_bound(event.step()), shown.end());
      for (const auto& value : event.summary().value())
        if (value.tag() == "loss") shown[event.step()] = value.simple_value();
      at += 16 + size;
    }
  }
  return shown;
}

// Starts the training; kills it after so long, or lets it end where that is 0. Its exit status, or -1 when it was
// killed.
int run(const std::string& self, const std::string& set, const std::string& folder, std::chrono::microseconds life) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(self.c_str(), self.c_str(), set.c_str(), folder.c_str(), nullptr);
    ::_exit(127);
  }
  if (life.count() > 0) {
    ::usleep(static_cast<useconds_t>(life.count()));
    ::kill(child, SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Kills trainings of one set `kills` times; how many ended otherwise than one that was never killed.
int wrong_ends(const std::string& self, const std::string& set, const fs::path& folder, int kills,
               std::mt19937_64& random) {
  const fs::path whole = folder / (set + "-whole");
  fs::create_directories(whole);
  const auto start = std::chrono::steady_clock::now();
  if (run(self, set, whole, {}) != 0) throw Error("the training of " + set + " that nobody kills fails");
  const auto length = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  std::uniform_int_distribution<std::int64_t> life(1, length.count());
  int wrong = 0, trainings = 0;
  for (int done = 0; done < kills; ++trainings) {
    const fs::path killed = folder / set;
    fs::remove_all(killed);
    fs::create_directories(killed);
    int status = -1;
    while (status == -1) {
      const bool last = done >= kills;
      status = run(self, set, killed, last ? std::chrono::microseconds{} : std::chrono::microseconds(life(random)));
      if (status == -1) ++done;
    }
    const bool same = status == 0 && read(killed / "end") == read(whole / "end") &&
                      read(killed / "history.csv") == read(whole / "history.csv") &&
                      scalars(killed / "runs") == scalars(whole / "runs");
    if (!same) ++wrong;
  }
  std::cout << set << ": " << kills << " kills of " << trainings << " trainings, " << wrong << " ended otherwise\n"
            << std::flush;
  return wrong;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.size() == 2 && std::find(sets.begin(), sets.end(), arguments[0]) != sets.end()) {
      train(arguments[0], arguments[1]);
      return 0;
    }
    if (arguments.empty()) return 2;
    const int kills = std::stoi(arguments[0]) / static_cast<int>(sets.size());
    std::mt19937_64 random(arguments.size() > 1 ? std::stoull(arguments[1]) : 1);
    std::string folder = (fs::temp_directory_path() / "oxbow-kills-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) return 2;
    int wrong = 0;
    for (const std::string& set : sets) wrong += wrong_ends(fs::canonical(argv[0]), set, folder, kills, random);
    test::figure("kills", test::counted(static_cast<std::size_t>(kills) * sets.size()) +
                              " SIGKILLs at random moments, over " + std::to_string(sets.size()) + " option sets: " +
                              std::to_string(wrong) + " trainings that ended otherwise than one that nobody killed");
    if (wrong == 0) fs::remove_all(folder);
    return wrong == 0 ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
