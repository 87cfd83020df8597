// Safetensors files and atomic writing; what is said about files that are cut short or corrupt.
// Labels: memory, figures.
#include <fcntl.h>
#include <oxbow/graph/tensor.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/safetensors.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>

#include "support/figures.h"
#include "support/message.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_files)

using namespace oxbow;
using oxbow::test::bytes;
using oxbow::test::message;
using oxbow::test::TemporaryFolder;

namespace {

std::string safetensors(std::string_view header, std::string_view data) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length).append(header).append(data);
}

}  // namespace

BOOST_AUTO_TEST_CASE(safetensors_round_trip_every_dtype_and_odd_shapes) {
  const TemporaryFolder folder;
  Safetensors content;
  content.metadata = {{"made by", "a test"}, {"ä", "\"quoted\""}};
  for (const DType d : all_dtypes)
    for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1}, Shape{3, 5, 7}})
      content.tensors.emplace_back(std::string(name(d)) + "/" + to_string(shape), draw(shape, 0, 2, 1, d));
  save_safetensors(folder / "a.safetensors", content);
  const Safetensors back = load_safetensors(folder / "a.safetensors");
  BOOST_TEST((back.metadata == content.metadata));
  BOOST_TEST(back.tensors.size() == content.tensors.size());
  for (const auto& [name, tensor] : content.tensors) {
    const auto place =
        std::find_if(back.tensors.begin(), back.tensors.end(), [&](const auto& t) { return t.first == name; });
    BOOST_REQUIRE(place != back.tensors.end());
    BOOST_TEST(same_bits(place->second, tensor), name);
  }
  BOOST_TEST(folder.file_count() == 1u);
}

BOOST_AUTO_TEST_CASE(broken_safetensors_are_named_with_what_is_wrong) {
  const TemporaryFolder folder;
  const std::string good = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"w":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  const auto two = [](const std::string& a, const std::string& b) {
    return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + a +
           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}";
  };
  const std::string eight(8, '\1');
  const std::vector<std::pair<std::string, std::string>> table{
      {"", "it has only 0 bytes"},
      {"1234567", "it has only 7 bytes"},
      {bytes({255, 255, 255, 255, 255, 255, 255, 127}),
       "its first 8 bytes ask for a header of 9223372036854775807 bytes"},
      {bytes({100, 0, 0, 0, 0, 0, 0, 0}) + "{}",
       "its header should have 100 bytes, but the file ends after 2. It was cut short: copy or save it again"},
      {safetensors("", ""), "its header does not begin with '{'"},
      {safetensors(" {}", ""), "its header does not begin with '{'"},
      {safetensors("{\"w\":", ""), "its header is no JSON at byte 6"},
      {safetensors("{\"a\xff\":1}", ""), "its header is no JSON at byte 4"},
      {safetensors(
           R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
           ""),
       "its header has \"w\" twice"},
      {safetensors(R"({"w":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})", ""),
       "tensor \"w\" has \"dtype\" twice"},
      {safetensors(R"({"__metadata__":{"a":"1","a":"2"}})", ""), "its \"__metadata__\" has \"a\" twice"},
      {safetensors(R"({"__metadata__":{},"__metadata__":{}})", ""), "its header has \"__metadata__\" twice"},
      {safetensors(R"({"w":[]})", ""), "tensor \"w\" is described by no object"},
      {safetensors(one("\"F32\"", "[[2]]", "[0,8]"), eight),
       "tensor \"w\" has shape [[2]], which is not a list of sizes"},
      {safetensors(one("\"F32\"", "{\"a\":[1,2],\"b\":3}", "[0,8]"), eight),
       "tensor \"w\" has shape {\"a\":[1,2],\"b\":3}, which is not a list of sizes"},
      {safetensors(one("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), eight),
       "tensor \"w\" has shape [1,1,1,1,1,1,1,1,2], but a shape has at most 8 axes"},
      {safetensors(R"({"w":{"x":1e999}})", ""), "its header has a number beyond a double's range at byte 15"},
      {safetensors(one("\"F32\"", std::string(100'000, '[') + std::string(100'000, ']'), "[0,8]"), eight),
       "its header nests deeper than 32 levels"},
      {safetensors(R"({"w":1})", ""), "tensor \"w\" is described by no object"},
      {safetensors(R"({"w":{"dtype":"F32","shape":[]}})", ""), "tensor \"w\" has no \"data_offsets\""},
      {safetensors(R"({"w":{"shape":[],"data_offsets":[0,0]}})", ""), "tensor \"w\" has no \"dtype\""},
      {safetensors(one("\"F8_E4M3\"", "[2]", "[0,4]"), eight),
       "tensor \"w\" has dtype \"F8_E4M3\", which Oxbow does not have. Save it as F32, F64, F16, BF16, I8, "
       "I16, I32, I64, U8, U16, U32, U64 or BOOL"},
      {safetensors(one("3", "[2]", "[0,4]"), eight),
       "tensor \"w\" has dtype 3, which Oxbow does not have. Save it as F32, F64, F16, BF16, I8, "
       "I16, I32, I64, U8, U16, U32, U64 or BOOL"},
      {safetensors(one("\"F32\"", "[-2]", "[0,8]"), eight),
       "tensor \"w\" has shape [-2], which is not a list of sizes"},
      {safetensors(one("\"F32\"", "[1.5]", "[0,8]"), eight),
       "tensor \"w\" has shape [1.5], which is not a list of sizes"},
      {safetensors(one("\"F32\"", "2", "[0,8]"), eight), "tensor \"w\" has shape 2, which is not a list of sizes"},
      {safetensors(one("\"F32\"", "[2]", "[0]"), eight), "tensor \"w\" has data_offsets [0], which are no two numbers"},
      {safetensors(one("\"F64\"", "[1]", "[18446744073709551608,0]"), ""),
       "tensor \"w\" has data_offsets [18446744073709551608,0], which are no two numbers"},
      {safetensors(one("\"F32\"", "[2]", "[8,0]"), eight), "tensor \"w\" is at bytes 8 to 0, which is backwards"},
      {safetensors(one("\"F32\"", "[2]", "[0,8]"), "1234567"),
       "tensor \"w\" is at bytes 0 to 8, but only 7 bytes follow the header. It was cut short: copy or save it again"},
      {safetensors(one("\"F32\"", "[3]", "[0,8]"), eight),
       "tensor \"w\" is f32[3], which takes 12 bytes, but it is at bytes 0 to 8"},
      {safetensors(one("\"BOOL\"", "[8]", "[0,8]"), "\1\1\1\2\1\1\1\1"),
       "tensor \"w\" is BOOL, but has bytes other than 0 and 1"},
      {safetensors(two("[0,4]", "[3,7]"), eight.substr(1)), "tensors \"a\" and \"b\" share bytes"},
      {safetensors(two("[0,4]", "[0,4]"), eight.substr(4)), "tensors \"a\" and \"b\" share bytes"},
      {safetensors(two("[0,4]", "[5,9]"), eight + "1"), "bytes 4 to 5 belong to no tensor"},
      {safetensors(good, eight + "12"), "bytes 8 to 10 belong to no tensor"},
      {safetensors(R"({"__metadata__":{"a":1}})", ""), "its \"__metadata__\" has \"a\", which is not a string"},
      {safetensors(R"({"__metadata__":1})", ""), "its \"__metadata__\" is not an object"}};
  for (const auto& [content, expected] : table) {
    const std::string path = folder.write("broken.safetensors", content);
    BOOST_TEST(message([&] { load_safetensors(path); }) == path + " is not a valid safetensors file: " + expected);
  }
  const std::string missing = folder / "missing";
  BOOST_TEST(message([&] { load_safetensors(missing); }) == "cannot read " + missing + ": No such file or directory");
  const std::string pipe = folder / "pipe";  // which nobody writes: reading would wait for ever
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& odd : {pipe, std::string("/dev/zero"), std::string("/")})
    BOOST_TEST(message([&] { load_safetensors(odd); }) == "cannot read " + odd + ": it is not a regular file");
  const std::string path = folder.write("good.safetensors", safetensors(good, eight));
  BOOST_TEST(load_safetensors(path).tensors.at(0).second.count() == 2);
}

BOOST_AUTO_TEST_CASE(tensors_lie_where_their_elements_are_aligned) {
  const TemporaryFolder folder;
  Safetensors content;
  for (const auto& [name, dtype] : {std::pair{"a", u8}, {"b", f32}, {"c", boolean}, {"d", f64}, {"e", i32}})
    content.tensors.emplace_back(name, draw({3}, 0, 1, 1, dtype));
  save_safetensors(folder / "mixed", content);
  const std::string file = folder.read("mixed");
  const std::size_t data = 8 + static_cast<unsigned char>(file[0]) + 256 * static_cast<unsigned char>(file[1]);
  for (const auto& [name, tensor] : load_safetensors(folder / "mixed").tensors) {
    const std::size_t at = file.find(std::string(1, name[0]) + "\":{");
    const std::size_t begin = std::stoul(file.substr(file.find("data_offsets\":[", at) + 15));
    BOOST_TEST((data + begin) % static_cast<std::size_t>(size_of(tensor.dtype())) == 0u, name);
  }
}

BOOST_AUTO_TEST_CASE(every_truncation_of_a_safetensors_file_is_noticed) {
  const TemporaryFolder folder;
  save_safetensors(folder / "whole", {{{"a", draw({5}, 0, 1, 1, f32)}, {"b", draw({3}, 0, 9, 2, u8)}}, {}});
  const std::string whole = folder.read("whole");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string path = folder.write("cut", whole.substr(0, size));
    BOOST_CHECK_THROW(load_safetensors(path), Error);
  }
  test::figure("truncations", test::counted(whole.size()) + " lengths to which a file was cut: all refused");
}

// 10 kB, as a training's state has it: a flipped bit is noticed, or changes nothing.
BOOST_AUTO_TEST_CASE(every_flipped_bit_of_a_safetensors_file_is_noticed_or_harmless) {
  const TemporaryFolder folder;
  Safetensors content{{{"optimizer/step", draw({}, 0, 9, 1, i64)}, {"flags", draw({7}, 0, 1, 2, boolean)}},
                      {{"made by", "a test"}}};
  for (int k = 0; k < 6; ++k)
    content.tensors.emplace_back("dense_" + std::to_string(k) + "/kernel",
                                 draw({20, 20}, -1, 1, static_cast<std::uint64_t>(k), f32));
  save_safetensors(folder / "whole", content);
  std::string file = folder.read("whole");
  BOOST_TEST(file.size() > 10'000u);
  const auto same = [&](const Safetensors& other) {
    std::map<std::string, Tensor> values(other.tensors.begin(), other.tensors.end());
    return values.size() == content.tensors.size() &&
           std::all_of(content.tensors.begin(), content.tensors.end(),
                       [&](const auto& t) { return values.contains(t.first) && same_bits(values[t.first], t.second); });
  };
  int refused = 0, harmless = 0, wrong = 0;
  const std::string path = folder.write("flipped", file);
  const int descriptor = ::open(path.c_str(), O_WRONLY);
  for (std::size_t byte = 0; byte < file.size(); ++byte)
    for (int bit = 0; bit < 8; ++bit) {
      const char flipped = static_cast<char>(file[byte] ^ (1 << bit));
      BOOST_REQUIRE(::pwrite(descriptor, &flipped, 1, static_cast<off_t>(byte)) == 1);
      try {
        ++(same(load_safetensors(path)) ? harmless : wrong);
      } catch (const Error&) {
        ++refused;
      }
      BOOST_REQUIRE(::pwrite(descriptor, &file[byte], 1, static_cast<off_t>(byte)) == 1);
    }
  ::close(descriptor);
  BOOST_TEST(wrong == 0);
  BOOST_TEST(refused + harmless == 8 * static_cast<int>(file.size()));
  BOOST_TEST(harmless < 64);  // in the padding behind the header alone
  test::figure("flips", test::counted(static_cast<std::size_t>(refused + harmless)) + " bits of a state flipped: " +
                            test::counted(static_cast<std::size_t>(refused)) + " refused, " + std::to_string(harmless) +
                            " without effect, " + std::to_string(wrong) + " with other values");

  // What another program changed on purpose says how to go on.
  file.back() = static_cast<char>(file.back() ^ 1);
  const std::string said = message([&] { load_safetensors(folder.write("flipped", file)); });
  BOOST_TEST(said.find("is not a valid safetensors file: its content has the checksum crc64:") != std::string::npos,
             said);
  BOOST_TEST(said.ends_with("It was damaged: copy it again, or take an older one. If another program changed it on "
                            "purpose, remove \"oxbow.checksum\" and \"oxbow.format\" from its metadata"),
             said);

  // Damage to its name does not switch the checksum off.
  const std::size_t name = file.find("oxbow.checksum");
  BOOST_REQUIRE(name != std::string::npos);
  file[name + 13] = 'l';
  const std::string unnamed = message([&] { load_safetensors(folder.write("flipped", file)); });
  BOOST_TEST(
      unnamed.find("its metadata has \"oxbow.format\", but no \"oxbow.checksum\". It was damaged") != std::string::npos,
      unnamed);
}

// What took time or memory as the square of a file's size.
BOOST_AUTO_TEST_CASE(large_headers_are_read_in_linear_time) {
  const TemporaryFolder folder;
  const auto start = std::chrono::steady_clock::now();
  std::string header = "{";
  for (int i = 0; i < 80'000; ++i)
    header += (i > 0 ? ",\"" : "\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  BOOST_TEST(load_safetensors(folder.write("many", safetensors(header + "}", ""))).tensors.size() == 80'000u);
  const std::string deep = R"({"w":{"x":)" + std::string(5'000'000, '[');
  BOOST_TEST(message([&] { load_safetensors(folder.write("deep", safetensors(deep, ""))); }) ==
             (folder / "deep") + " is not a valid safetensors file: its header nests deeper than 32 levels");
  const std::string name(60'000, 'n');
  const std::string said =
      message([&] { load_safetensors(folder.write("long", safetensors("{\"" + name + "\":1}", ""))); });
  BOOST_TEST(said == (folder / "long") + " is not a valid safetensors file: tensor \"" + name.substr(0, 78) + "..." +
                         name.substr(0, 39) + "\" is described by no object");
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(10)));
}

BOOST_AUTO_TEST_CASE(a_link_into_a_circle_is_told_as_other_files_are) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("circle", folder / "circle");
  BOOST_TEST(message([&] { load_safetensors(folder / "circle"); }) ==
             "cannot read " + (folder / "circle") + ": Too many levels of symbolic links");
}

BOOST_AUTO_TEST_CASE(a_save_that_fails_leaves_the_old_file) {
  const TemporaryFolder folder;
  const std::string path = folder.write("w.safetensors", "old");
  const Safetensors big{{{"w", Tensor({f32, {1 << 16}})}}, {}};

  // A file may not grow beyond this: what a full disk does, for one process. Its signal ends nothing.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1 << 12, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string full = message([&] { save_safetensors(path, big); });
  setrlimit(RLIMIT_FSIZE, &before);
  BOOST_TEST(full == "cannot write " + path + ": File too large (the file that was there is unchanged)");
  BOOST_TEST(folder.read("w.safetensors") == "old");
  BOOST_TEST(folder.file_count() == 1u);

  const std::string nowhere = folder / "nowhere/w.safetensors";
  BOOST_TEST(message([&] { save_safetensors(nowhere, big); }) ==
             "cannot create " + nowhere + ": No such file or directory");
  BOOST_TEST(message([&] {
               save_safetensors(path, {{{"a", Tensor::scalar(1)}, {"a", Tensor::scalar(1)}}, {}});
             }) == "cannot save " + path + ": the name \"a\" is given twice");
  const std::string pipe = folder / "pipe";  // not a device of the machine's: a fault would replace it
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  BOOST_TEST(message([&] { write_file(pipe, "x"); }) == "cannot replace " + pipe + ": it is not a regular file");
}

BOOST_AUTO_TEST_CASE(a_save_that_is_killed_leaves_a_whole_file) {
  const TemporaryFolder folder;
  const std::string path = folder / "w.safetensors";
  save_safetensors(path, {{{"w", Tensor({i64, {1 << 16}})}}, {}});
  for (int trial = 0; trial < 8; ++trial) {
    const pid_t child = fork();
    if (child == 0) {
      for (std::int64_t k = 1;; ++k) {
        Tensor w({i64, {1 << 16}});
        for (std::int64_t& e : w.span<std::int64_t>()) e = k;
        save_safetensors(path, {{{"w", w}}, {}});
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3 + 5 * trial));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const Tensor w = load_safetensors(path).tensors.at(0).second;
    const auto values = w.span<std::int64_t>();
    BOOST_TEST(std::all_of(values.begin(), values.end(), [&](std::int64_t e) { return e == values[0]; }));
  }
}

BOOST_AUTO_TEST_CASE(a_child_that_was_forked_off_leaves_its_parents_files_alone) {
  const TemporaryFolder folder;
  std::optional<AtomicFile> file(folder.write("w.txt", "old"));
  file->write("new");
  const pid_t child = fork();
  if (child == 0) {
    file.reset();
    _exit(0);
  }
  BOOST_REQUIRE(waitpid(child, nullptr, 0) == child);
  BOOST_TEST(message([&] { file->commit(); }) == "no error");
  BOOST_TEST(folder.read("w.txt") == "new");
}

// What was left half written goes with the next save of that name; live writers' files and others' stay.
BOOST_AUTO_TEST_CASE(what_a_killed_save_left_is_removed_by_the_next) {
  const TemporaryFolder folder;
  const std::string path = folder.write("w.txt", "old");
  for (int k = 0; k < 3; ++k) {
    const pid_t child = fork();
    if (child == 0) {
      AtomicFile file(path);
      file.write("half");
      raise(SIGKILL);
    }
    waitpid(child, nullptr, 0);
    BOOST_TEST(folder.file_count() == 2u);  // the one before is gone
  }
  folder.write("w.txt.oxbow-part1-0", "by one whose process number is another's now");
  for (const char* name : {"w.txt.oxbow-part", "w.txt.oxbow-part1", "w.txt.oxbow-part1-", "w.txt.oxbow-part1-0.bak",
                           "w.txt.oxbow-partial1-0", "v.txt.oxbow-part1-0", "w.txt.oxbow-part1-x", "w.txt.part1-3"})
    folder.write(name, "somebody's");
  AtomicFile live(path);
  live.write("live");
  write_file(path, "new");
  BOOST_TEST(folder.read("w.txt") == "new");
  BOOST_TEST(folder.file_count() == 1u + 8 + 1);
  live.commit();
  BOOST_TEST(folder.read("w.txt") == "live");
  BOOST_TEST(folder.file_count() == 1u + 8);
}

// Many processes that save under one name at once: none fails for another's sake, and nothing is left over.
BOOST_AUTO_TEST_CASE(writers_of_one_name_do_not_disturb_one_another) {
  const TemporaryFolder folder;
  const std::string path = folder / "w.txt";
  std::vector<pid_t> writers;
  for (int w = 0; w < 4; ++w) {
    writers.push_back(fork());
    if (writers.back() != 0) continue;
    try {
      for (int k = 0; k < 200; ++k) write_file(path, std::string(10'000, static_cast<char>('a' + w)));
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  for (const pid_t writer : writers) {
    int status = -1;
    waitpid(writer, &status, 0);
    BOOST_TEST(status == 0);
  }
  const std::string last = folder.read("w.txt");
  BOOST_TEST(last == std::string(10'000, last.at(0)));
  BOOST_TEST(folder.file_count() == 1u);
}

BOOST_AUTO_TEST_CASE(a_replaced_file_keeps_its_permissions_and_links_stay_links) {
  const TemporaryFolder folder;
  const std::string path = folder.write("file", "old"), link = folder / "link";
  std::filesystem::permissions(path, std::filesystem::perms(0640));
  std::filesystem::create_symlink(path, link);
  write_file(link, "new");
  BOOST_TEST(folder.read("file") == "new");
  BOOST_TEST(std::filesystem::is_symlink(link));
  BOOST_TEST((std::filesystem::status(path).permissions() == std::filesystem::perms(0640)));
}

BOOST_AUTO_TEST_SUITE_END()
