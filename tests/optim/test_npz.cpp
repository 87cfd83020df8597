// Archives of NumPy's arrays, as NumPy writes them and back; and files that are none.
// Labels: memory.
#include <oxbow/optim/npz.h>

#include <boost/test/unit_test.hpp>

#include "support/message.h"
#include "support/places.h"
#include "support/says.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_npz)

using namespace oxbow;
using namespace oxbow::test;

namespace {

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(archives_of_numpy_are_read) {
  // numpy.savez(x=numpy.arange(6, dtype="f4").reshape(2, 3), label=numpy.array([1, 0]))
  for (const char* name : {"savez", "savez_compressed"}) {
    const Npz file = load_npz(source("tests/fuzz/corpus/npz/") + name);
    BOOST_TEST(file.names() == (std::vector<std::string>{"x", "label"}), boost::test_tools::per_element());
    BOOST_TEST(same_bits(file["x"], Tensor::of<float>({2, 3}, {0, 1, 2, 3, 4, 5})));
    BOOST_TEST(same_bits(file["label"], Tensor::of<std::int64_t>({2}, {1, 0})));
    BOOST_TEST(file.dataset().size() == 2);
    says([&] { file["labels"]; }, "there is no array \"labels\". Did you mean \"label\"? Known are: x, label");
  }
}

BOOST_AUTO_TEST_CASE(arrays_are_written_and_read_back) {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, Tensor>> arrays{
      {"x", draw({50, 7}, 0, 1, 1, f32)}, {"a/b \xc3\xa4", Tensor::scalar(2.5)}, {"none", Tensor({i16, {0, 3}})}};
  for (const bool compress : {false, true}) {
    save_npz(folder / "t.npz", arrays, {.compress = compress});
    const Npz again = load_npz(folder / "t.npz");
    BOOST_TEST(again.arrays.size() == arrays.size());
    for (const auto& [name, tensor] : arrays) BOOST_TEST(same_bits(again[name], tensor), name);
    const std::string bytes = folder.read("t.npz");
    save_npz(folder / "t.npz", arrays, {.compress = compress});
    BOOST_TEST((folder.read("t.npz") == bytes));
    says([&] { again.dataset(); }, "column \"a/b \xc3\xa4\" is a scalar");
  }
  save_npz(folder / "t.npz", {});
  BOOST_TEST(load_npz(folder / "t.npz").arrays.empty());
  const Tensor one = Tensor::scalar(1.0f);
  const std::string before = folder.read("t.npz");
  says([&] { save_npz(folder / "t.npz", {{"x", one}, {"x", one}}); }, "there are two arrays \"x\"");
  says([&] { save_npz(folder / "t.npz", {{"", one}}); }, "\"\" cannot be an array's name");
  says([&] { save_npz(folder / "t.npz", {{"x\xff", one}}); }, "\"x\\xff\" cannot be an array's name");
  says([&] { save_npz(folder / "t.npz", {{"x", Tensor({bf16, {1}})}}); }, "NumPy has no bf16. Cast to f32 first");
  BOOST_TEST((folder.read("t.npz") == before));
}

BOOST_AUTO_TEST_CASE(what_is_no_npz_is_refused) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.npz";
  save_npz(path, {{"x", Tensor::of<float>({4}, {1, 2, 3, 4})}, {"y", Tensor::of<float>({1}, {7})}});
  const std::string good = folder.read("a.npz");
  std::string flipped = good;
  flipped[flipped.find("x.npy") + 5 + 128 + 3] ^= 1;  // in an element of x
  const struct {
    std::string file, said;
  } cases[] = {
      {"", "it does not begin with \"PK\""},
      {"\x93NUMPY", "it does not begin with \"PK\""},
      {good.substr(0, good.size() - 30), "It was cut short or damaged: copy it again"},
      {replaced(good, "x.npy", "x.txt"), "it holds \"x.txt\", which is no array: their names end with \".npy\""},
      {replaced(good, "x.npy", "y.npy"), "it holds \"y.npy\" twice"},
      {flipped, "its member \"x.npy\": "},
      {replaced(good, "<f4", "<U4"), "its member \"x.npy\": its elements are \"<U4\" to NumPy"},
      {replaced(good, "(4,", "(5,"), "its member \"x.npy\": "},
  };
  for (const auto& [file, said] : cases) {
    folder.write("a.npz", file);
    says([&] { load_npz(path); }, path + " is not a valid npz file: ");
    says([&] { load_npz(path); }, said);
  }
}

BOOST_AUTO_TEST_CASE(what_unpacks_to_much_more_is_refused_before_it_is) {
  const TemporaryFolder folder;
  save_npz(folder / "zeros.npz", {{"x", Tensor({u8, {65 << 20}})}}, {.compress = true});
  says([&] { load_npz(folder / "zeros.npz"); }, "it would unpack to 68157568 bytes, more than 100 times its own");
}

BOOST_AUTO_TEST_SUITE_END()
