// Checkpoints: a training that dies at any moment goes on from the last one with the bits of one that never died.
#include <oxbow/ops/ops.h>
#include <oxbow/optim/checkpoint.h>
#include <oxbow/optim/optimizers/adam.h>
#include <oxbow/optim/schedules.h>
#include <oxbow/runtime/safetensors.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <limits>
#include <optional>

#include "support/message.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_checkpoint)

using namespace oxbow;
using test::message;

namespace {

struct Died {};

// 30 samples in minibatches of 7: five an epoch, in steps of 2, 2 and 1.
struct Training {
  Dataset data{{"x", draw({30, 3}, -1, 1, 1, f32)}, {"y", draw({30, 1}, -1, 1, 2, f32)}};
  Model model = compiled();

  static Model compiled() {
    Graph g;
    const Value x = input(g, "x", f32, {any(7), 3}), y = input(g, "y", f32, {any(7), 1});
    const Value loss = mean(square(dense(dense(x, 4, {.activation = tanh}), 1) - y));
    return compile(loss, optim::Adam{.learning_rate = optim::Cosine{.initial = 0.1, .steps = 12}},
                   {.minimize = {.accumulate = 2}});
  }
  // Dies after so many minibatches, unless that is 0.
  History fit(const Callback& saving, std::int64_t dies_after = 0, bool resume = false) {
    const auto die = [left = dies_after](Progress&) mutable {
      if (--left == 0) throw Died();
    };
    return model.fit(data, {.epochs = 4, .batch_size = 7, .callbacks = {saving, {.on_step = die}}, .resume = resume});
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_training_that_dies_goes_on_from_its_last_checkpoint) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "training.safetensors";
  Training whole;
  const History history = whole.fit({});
  BOOST_TEST(history.minibatches_before == 0);
  BOOST_TEST(whole.model.minibatches() == 20);
  whole.model.save(folder / "whole.safetensors", Saved::training);

  // Every 3 minibatches, and at the ends of epochs: after 3, 5, 6, 9, 10, 12, 15, 18, 20.
  const std::pair<int, int> cases[] = {{3, 3},  {4, 3},   {5, 3},   {6, 6},   {8, 6},
                                       {10, 9}, {11, 10}, {15, 12}, {17, 15}, {19, 18}};
  for (const auto& [died, saved] : cases) {
    std::filesystem::remove(path);
    Training first;
    BOOST_CHECK_THROW(first.fit(checkpoint(path, 3), died), Died);
    Training second;
    second.model.load(path);
    BOOST_TEST(second.model.minibatches() == saved, "died after " << died);
    const History rest = second.fit(checkpoint(path, 3), 0, true);
    BOOST_TEST(rest.minibatches_before == saved);
    BOOST_TEST(rest.step_losses == std::vector<double>(history.step_losses.begin() + saved, history.step_losses.end()),
               boost::test_tools::per_element());
    BOOST_CHECK(rest.epochs.back().results == history.epochs.back().results);
    BOOST_TEST(folder.read("training.safetensors") == folder.read("whole.safetensors"), "died after " << died);
  }
}

BOOST_AUTO_TEST_CASE(a_checkpoint_is_at_each_epochs_end_and_where_training_is_stopped) {
  const test::TemporaryFolder folder;
  Training t;
  std::vector<std::int64_t> at;
  const Callback saving = checkpoint(folder / "a", 0, [&] { at.push_back(t.model.minibatches()); });
  t.fit(saving);
  BOOST_TEST(at == (std::vector<std::int64_t>{5, 10, 15, 20}), boost::test_tools::per_element());
  at.clear();
  t.model.fit(t.data, {.epochs = 2, .batch_size = 7, .callbacks = {saving, {.on_step = [](Progress& p) {
                                                                     p.stop = p.model.minibatches() == 7;
                                                                   }}}});
  BOOST_TEST(at == (std::vector<std::int64_t>{5, 7}), boost::test_tools::per_element());
  BOOST_TEST(message([] { checkpoint("a", -1); }) == "checkpoint: every is -1. Give at least 1, or 0 for epochs only");
}

// A state that others wrote may have any numbers in it.
BOOST_AUTO_TEST_CASE(a_state_counts_no_further_than_a_training_can) {
  constexpr std::int64_t last = std::numeric_limits<int>::max(), most = std::int64_t{1} << 53;
  const test::TemporaryFolder folder;
  const std::string path = folder / "training.safetensors";
  Training whole;
  whole.model.fit(whole.data,
                  {.epochs = 4, .batch_size = 7, .early_stopping = EarlyStopping{.monitor = "loss", .patience = 9}});
  whole.model.save(path, Saved::training);
  const Safetensors state = load_safetensors(path);
  const auto with = [&](std::string_view name, const std::vector<std::int64_t>& numbers) {
    Safetensors other = state;
    for (auto& [known, tensor] : other.tensors)
      if (known.ends_with(name)) tensor = Tensor::of<std::int64_t>(tensor.shape(), numbers);
    save_safetensors(path, other);
    Training training;
    training.model.load(path);
    return training;
  };
  struct Case {
    const char* name;
    std::vector<std::int64_t> numbers;
    const char* problem;
  };
  const char *position = "its \"fit/position\" is not valid",
             *early_stopping = "what it says about early stopping is incomplete";
  const Case refused[] = {{"fit/position", {last + 2, 0, 0, 20}, position},
                          {"fit/position", {0, 0, 0, 20}, position},
                          {"fit/position", {5, 0, 0, most + 1}, position},
                          {"fit/position", {5, 0, 0, std::numeric_limits<std::int64_t>::max()}, position},
                          {"fit/early_stopping/epochs", {5, 0}, early_stopping},
                          {"fit/early_stopping/epochs", {4, last}, early_stopping},
                          {"fit/early_stopping/position", {last + 2, 0, 0, 20}, early_stopping}};
  for (const auto& [name, numbers, problem] : refused)
    BOOST_TEST(message([&, &n = name, &list = numbers] { with(n, list); }) ==
               path + " does not fit the model: " + problem + ". Nothing was changed");

  Training far = with("fit/position", {last, 0, 0, most - 5});
  const FitOptions how{.batch_size = 7, .first_epoch = last, .resume = true};
  BOOST_TEST(far.model.fit(far.data, how).epochs.size() == 1u);
  BOOST_TEST(far.model.minibatches() == most);
  far.model.save(path, Saved::training);
  far.model.load(path);
  BOOST_TEST(far.model.fit(far.data, how).epochs.size() == 0u);

  // Minibatches that were gathered, more than a step has: the next one ends the step.
  Training gathered = with("/batches", {last});
  const std::int64_t steps = gathered.model.steps();
  int minibatches = 0;
  const auto stop = [&](Progress& p) { p.stop = ++minibatches == 1; };
  gathered.model.fit(gathered.data, {.epochs = 9, .batch_size = 7, .callbacks = {{.on_step = stop}}, .resume = true});
  BOOST_TEST(gathered.model.steps() == steps + 1);
}

BOOST_AUTO_TEST_CASE(one_training_at_a_time_writes_a_checkpoint) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "training.safetensors", lock = path + ".oxbow-lock";
  const auto refused = [&](const std::string& by) {
    return path + " is in use: " + by + " writes it. Give another path, or wait until that has ended";
  };
  {
    const Callback first = checkpoint(path), copy = first;
    BOOST_TEST(message([&] { checkpoint(path); }) == refused("this process"));
    checkpoint(folder / "another");
    Training().fit(first);
    BOOST_TEST(message([&] { checkpoint(path); }) == refused("this process"));  // though the file is another one now
  }
  BOOST_TEST(!std::filesystem::exists(lock));

  // Another process, which is then killed. Its lock's file stays, and is in nobody's way.
  int ready[2];
  BOOST_REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const Callback held = checkpoint(path);
    static_cast<void>(::write(ready[1], "", 1) == 1);
    while (true) ::pause();
  }
  char byte = 1;
  BOOST_REQUIRE(::read(ready[0], &byte, 1) == 1);
  BOOST_TEST(message([&] { checkpoint(path); }) == refused("process " + std::to_string(child)));
  BOOST_REQUIRE(::kill(child, SIGKILL) == 0);
  BOOST_REQUIRE(::waitpid(child, nullptr, 0) == child);
  BOOST_TEST(std::filesystem::exists(lock));
  Training().fit(checkpoint(path));
  BOOST_TEST(!std::filesystem::exists(lock));
  ::close(ready[0]);
  ::close(ready[1]);

  // A child that was forked off ends its copy. The lock is the parent's.
  std::optional<Callback> held = checkpoint(path);
  if (const pid_t copy = ::fork(); copy == 0) {
    held.reset();
    ::_exit(0);
  } else {
    BOOST_REQUIRE(::waitpid(copy, nullptr, 0) == copy);
  }
  BOOST_TEST(std::filesystem::exists(lock));
  BOOST_TEST(message([&] { checkpoint(path); }) == refused("this process"));
  held.reset();
  BOOST_TEST(!std::filesystem::exists(lock));
  BOOST_TEST(message([] { checkpoint("no/such/folder/a"); }) ==
             "cannot create no/such/folder/a.oxbow-lock: No such file or directory");
}

BOOST_AUTO_TEST_SUITE_END()
