// Event files as TensorBoard reads them: records, checksums, and the fields of events.
#include <oxbow/ops/ops.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/optimizers/sgd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <optional>

#include "history/tensorboard.h"
#include "support/message.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_tensorboard)

using namespace oxbow;
using test::message;

namespace {

template <class T>
T take(std::string_view& bytes) {
  BOOST_REQUIRE(bytes.size() >= sizeof(T));
  T v;
  std::memcpy(&v, bytes.data(), sizeof v);
  bytes.remove_prefix(sizeof v);
  return v;
}

std::uint64_t varint(std::string_view& bytes) {
  std::uint64_t v = 0;
  for (int shift = 0;; shift += 7) {
    const auto b = take<std::uint8_t>(bytes);
    v |= std::uint64_t(b & 0x7f) << shift;
    if (b < 128) return v;
  }
}

// A message's fields by the numbers of TensorBoard's event.proto and summary.proto, raw: protobuf's wire format.
struct Field {
  std::uint64_t number, integer = 0;
  std::string_view bytes;
};
std::vector<Field> fields(std::string_view message) {
  std::vector<Field> out;
  while (!message.empty()) {
    const std::uint64_t key = varint(message);
    Field f{.number = key >> 3, .bytes = {}};
    const std::size_t size = key % 8 == 0 ? 0 : key % 8 == 1 ? 8 : key % 8 == 5 ? 4 : varint(message);
    BOOST_REQUIRE((key % 8 == 0 || key % 8 == 1 || key % 8 == 2 || key % 8 == 5));
    if (key % 8 == 0) f.integer = varint(message);
    BOOST_REQUIRE(message.size() >= size);
    f.bytes = message.substr(0, size);
    message.remove_prefix(size);
    out.push_back(f);
  }
  return out;
}

struct Event {
  double time = 0;
  std::int64_t step = 0;
  std::string version;
  bool start = false;
  std::map<std::string, float> scalars;
  // Of pictures and histograms, each field by its number: whole numbers as text, all others as bytes.
  std::map<std::string, std::map<std::uint64_t, std::string>> images, histograms;
};

std::vector<Event> read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  std::string_view left = all;
  std::vector<Event> events;
  while (!left.empty()) {
    const std::string_view head = left.substr(0, 8);
    const auto size = take<std::uint64_t>(left);
    BOOST_TEST(take<std::uint32_t>(left) == tools::masked_crc32c(head.data(), 8));
    BOOST_REQUIRE(left.size() >= size + 4);
    const std::string_view body = left.substr(0, size);
    left.remove_prefix(size);
    BOOST_TEST(take<std::uint32_t>(left) == tools::masked_crc32c(body.data(), size));
    Event e;
    for (const Field& f : fields(body)) {
      std::string_view bytes = f.bytes;
      if (f.number == 1) e.time = take<double>(bytes);
      if (f.number == 2) e.step = static_cast<std::int64_t>(f.integer);
      if (f.number == 3) e.version = bytes;
      if (f.number == 7) e.start = fields(bytes).at(0).number == 1 && fields(bytes).at(0).integer == 1;
      if (f.number != 5) continue;
      for (const Field& value : fields(bytes)) {
        BOOST_REQUIRE(value.number == 1u);
        const auto parts = fields(value.bytes);
        BOOST_REQUIRE(parts.size() == 2u);
        BOOST_TEST(parts[0].number == 1u);
        const std::string tag(parts[0].bytes);
        BOOST_REQUIRE((parts[1].number == 2 || parts[1].number == 4 || parts[1].number == 5));
        std::string_view bytes_of = parts[1].bytes;
        if (parts[1].number == 2)
          e.scalars[tag] = take<float>(bytes_of);
        else
          for (const Field& part : fields(bytes_of))
            (parts[1].number == 4 ? e.images : e.histograms)[tag][part.number] =
                part.bytes.empty() ? std::to_string(part.integer) : std::string(part.bytes);
      }
    }
    events.push_back(e);
  }
  return events;
}

std::vector<double> doubles(const std::string& bytes) {
  std::vector<double> all;
  for (std::string_view left = bytes; !left.empty();) all.push_back(take<double>(left));
  return all;
}

std::vector<std::string> files(const std::string& folder) {
  std::vector<std::string> out;
  for (const auto& f : std::filesystem::directory_iterator(folder)) out.push_back(f.path().string());
  std::sort(out.begin(), out.end());
  return out;
}

// loss = mean((w - x)^2)
struct Mean {
  Graph g;
  Value x = input(g, "x", f64, {any(4)});
  Value w = variable(g, "w", {f64, {}});
  Value loss = mean(square(w - x));
  Model compiled() const {
    return compile(loss, optim::SGD{.learning_rate = 0.25}, {.minimize = {.accumulate = 2, .norms = true}});
  }
};

}  // namespace

// What a checkpoint is written after is on the disk: a process that ends then leaves no gap when it is resumed.
BOOST_AUTO_TEST_CASE(what_was_flushed_is_in_the_file) {
  const test::TemporaryFolder folder;
  const Mean mean;
  Model model = mean.compiled();
  const tools::TensorBoard board(folder / "runs");
  board.flush();  // nothing was told yet
  std::vector<std::size_t> events;
  const Callback saving{.on_step = [&](Progress&) {
    board.flush();
    events.push_back(read(files(folder / "runs").at(0)).size());
  }};
  model.fit({{"x", Tensor::of<double>({6}, {1, 2, 3, 4, 5, 6})}},
            {.batch_size = 2, .callbacks = {board.callback(), saving}});
  BOOST_TEST(events == (std::vector<std::size_t>{3, 4, 5}), boost::test_tools::per_element());  // behind two of its own
}

BOOST_AUTO_TEST_CASE(a_file_that_was_removed_is_followed_by_another) {
  const test::TemporaryFolder folder;
  tools::EventFile file(folder / "runs");
  file.add(1, {{"loss", 0.5}});
  file.flush();
  std::filesystem::remove_all(folder / "runs");
  file.add(2, {{"loss", 0.25}});
  file.flush();
  const std::vector<Event> events = read(file.path());
  BOOST_REQUIRE(events.size() == 3u);
  BOOST_TEST(events[1].start);
  BOOST_TEST(events[1].step == 2);
  BOOST_TEST(events[2].scalars.at("loss") == 0.25f);
}

BOOST_AUTO_TEST_CASE(a_child_that_was_forked_off_writes_nothing_twice) {
  const test::TemporaryFolder folder;
  std::optional<tools::EventFile> file(folder / "runs");
  file->add(1, {{"loss", 0.5}});
  const pid_t child = ::fork();
  if (child == 0) {
    file.reset();
    ::_exit(0);
  }
  BOOST_REQUIRE(::waitpid(child, nullptr, 0) == child);
  file->flush();
  BOOST_TEST(read(file->path()).size() == 3u);
}

// The check value of CRC-32C, and those of RFC 3720, B.4; masked as TensorFlow's record format says.
BOOST_AUTO_TEST_CASE(the_checksum_is_castagnolis_masked) {
  const auto masked = [](std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; };
  const auto of = [](const std::string& s) { return tools::masked_crc32c(s.data(), s.size()); };
  BOOST_TEST(of("123456789") == masked(0xe3069283u));
  BOOST_TEST(of(std::string(32, '\0')) == masked(0x8a9136aau));
  BOOST_TEST(of(std::string(32, '\xff')) == masked(0x62a8ab43u));
  BOOST_TEST(of("") == masked(0));
}

BOOST_AUTO_TEST_CASE(training_writes_its_scalars_and_goes_on_with_them) {
  const test::TemporaryFolder folder;
  const std::string runs = folder / "runs/mean";
  const Mean net;
  Model model = net.compiled();
  const Dataset data{{"x", draw({20}, -1, 3, 1, f64)}};
  const Callback writes = tools::tensorboard(runs);
  const History first = model.fit(data, {.epochs = 2, .batch_size = 4, .validation = data, .callbacks = {writes}});
  BOOST_REQUIRE(files(runs).size() == 1u);
  BOOST_TEST(files(runs)[0].find("events.out.tfevents.") != std::string::npos);
  const std::vector<Event> events = read(files(runs)[0]);
  BOOST_REQUIRE(events.size() == 2u + 10 + 2);
  BOOST_TEST(events[0].version == "brain.Event:2");
  BOOST_TEST(events[1].start);
  BOOST_TEST(events[1].step == 1);
  std::size_t row = 0, epoch = 0;
  for (std::size_t i = 2; i < events.size(); ++i) {
    const Event& e = events[i];
    BOOST_TEST(e.time > 1.6e9);
    BOOST_TEST(e.time >= events[i - 1].time);
    if (e.scalars.contains("epoch/loss")) {
      BOOST_TEST(e.step == static_cast<std::int64_t>(row));
      BOOST_TEST(e.scalars.at("epoch/val_loss") == static_cast<float>(first["val_loss"][epoch++]));
      continue;
    }
    BOOST_TEST(e.step == static_cast<std::int64_t>(row + 1));
    BOOST_TEST(e.scalars.at("loss") == static_cast<float>(first.step_losses[row]));
    BOOST_TEST(e.scalars.at("learning_rate") == 0.25f);
    // Five minibatches an epoch, in steps of 2, 2 and 1.
    const bool steps = row % 5 == 1 || row % 5 == 3 || row % 5 == 4;
    BOOST_TEST(e.scalars.contains("gradient_norm/w") == steps);
    if (steps) BOOST_TEST(e.scalars.at("gradient_norm") == static_cast<float>(first.steps("gradient_norm")[row]));
    ++row;
  }
  BOOST_TEST(row == 10u);

  model.fit(data, {.epochs = 3, .batch_size = 4, .callbacks = {writes}, .resume = true});
  BOOST_REQUIRE(files(runs).size() == 2u);
  const std::vector<Event> more = read(files(runs)[1]);
  BOOST_REQUIRE(more.size() == 2u + 5 + 1);
  BOOST_TEST(more[1].start);
  BOOST_TEST(more[1].step == 11);  // what the first file held from there on would no longer count
  BOOST_TEST(more[2].step == 11);
  BOOST_TEST(more.back().step == 15);
}

BOOST_AUTO_TEST_CASE(histograms_hold_each_finite_number_once) {
  const test::TemporaryFolder folder;
  tools::EventFile file(folder / "runs");
  const double inf = std::numeric_limits<double>::infinity(), most = std::numeric_limits<double>::max();
  file.add_histogram(7, "spread", Tensor::of<double>({8}, {0, 1, 2, inf, -1, 29, NAN, 0.5}));
  file.add_histogram(7, "one", Tensor::of<std::int64_t>({3}, {4, 4, 4}));
  file.add_histogram(7, "none", Tensor::of<float>({1}, {NAN}));
  file.add_histogram(7, "widest", Tensor::of<double>({2}, {-most, most}));
  file.flush();
  const std::vector<Event> events = read(file.path());
  BOOST_REQUIRE(events.size() == 5u);
  const auto& spread = events[2].histograms.at("spread");
  BOOST_TEST(events[2].step == 7);
  for (const auto& [number, value] : std::map<std::uint64_t, double>{{1, -1}, {2, 29}, {3, 6}, {4, 31.5}, {5, 847.25}})
    BOOST_TEST(doubles(spread.at(number)) == std::vector<double>{value}, boost::test_tools::per_element());
  // Intervals of 1 from -1 on: each holds its lower end, the last one its upper too.
  std::vector<double> ends, counts(30);
  for (int i = 0; i < 30; ++i) ends.push_back(i);
  for (const std::size_t i : {0, 2, 3, 29}) counts[i] = 1;
  counts[1] = 2;
  BOOST_TEST(doubles(spread.at(6)) == ends, boost::test_tools::per_element());
  BOOST_TEST(doubles(spread.at(7)) == counts, boost::test_tools::per_element());
  BOOST_TEST(doubles(events[3].histograms.at("one").at(7))[0] == 3);
  BOOST_TEST(doubles(events[4].histograms.at("widest").at(7)).front() == 1);
  BOOST_TEST(doubles(events[4].histograms.at("widest").at(7)).back() == 1);
}

BOOST_AUTO_TEST_CASE(an_epoch_shows_parameters_and_pictures_of_ones_own) {
  const test::TemporaryFolder folder;
  const Mean net;
  Model model = net.compiled();
  const Dataset data{{"x", draw({8}, -1, 3, 1, f64)}};
  const tools::TensorBoard board(folder / "runs", {.histograms = 2});
  const Tensor drawn = draw({3, 4, 5}, 0, 1, 1, f32);
  const Callback own{.on_epoch = [&](Progress& p) {
    if (p.epoch == 3) board.image("drawn", drawn, {.columns = 2, .scale = 2});
    if (p.epoch == 3) board.histogram("data", data["x"]);
  }};
  model.fit(data, {.epochs = 4, .batch_size = 4, .callbacks = {board.callback(), own}});
  std::map<std::int64_t, std::string> seen;
  for (const Event& e : read(files(folder / "runs").at(0))) {
    for (const auto& [tag, histogram] : e.histograms) seen[e.step] += tag + " ";
    for (const auto& [tag, image] : e.images) {
      seen[e.step] += tag + " ";
      BOOST_TEST(image.at(1) == "16");  // two rows of four, each twice
      BOOST_TEST(image.at(2) == "20");
      BOOST_TEST(image.at(3) == "1");
      tools::save_image(folder / "drawn.png", drawn, {.columns = 2, .scale = 2});
      std::ifstream in(folder / "drawn.png", std::ios::binary);
      BOOST_TEST(image.at(4) == std::string(std::istreambuf_iterator<char>(in), {}));
    }
  }
  BOOST_TEST(seen[4] == "w ");
  BOOST_TEST(seen[6] == "drawn data ");
  BOOST_TEST(seen[8] == "w ");
  BOOST_TEST(seen.size() == 3u);
  BOOST_TEST(message([&] { board.image("drawn", drawn); }).starts_with("TensorBoard::image: no training is under way"));
  BOOST_TEST(message([] { tools::TensorBoard("runs", {.histograms = -1}); }).find(".histograms is -1") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_named_and_nothing_is_lost) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "taken") << "a file";
  BOOST_TEST(message([&] { tools::EventFile file(folder / "taken"); }).find("cannot make") == 0u);

  // A limit on the size of files stands for a disk that is full.
  const Mean net;
  Model model = net.compiled();
  const Dataset data{{"x", draw({4000}, -1, 3, 1, f64)}};
  rlimit before{}, small{};
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 1000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string said =
      message([&] { model.fit(data, {.batch_size = 4, .callbacks = {tools::tensorboard(folder / "runs")}}); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  BOOST_TEST(said.find("cannot write " + files(folder / "runs").at(0) + ": File too large") == 0u, said);
  BOOST_TEST(model.steps() == 500);  // the file is written at the epoch's end, or after a second
  model.fit(data, {.epochs = 2, .batch_size = 4, .resume = true});
  BOOST_TEST(model.steps() == 1000);
}

BOOST_AUTO_TEST_SUITE_END()
