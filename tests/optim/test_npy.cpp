// NumPy's arrays, as NumPy writes them and back; and files that are none.
// Labels: memory.
#include <oxbow/optim/npy.h>

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "support/message.h"
#include "support/says.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_npy)

using namespace oxbow;
using namespace oxbow::test;

namespace {

std::string npy(const std::string& header, const std::string& data, int version = 1) {
  const auto n = static_cast<int>(header.size());
  return bytes({0x93, 'N', 'U', 'M', 'P', 'Y', version, 0, n & 255, n >> 8}) + (version > 1 ? bytes({0, 0}) : "") +
         header + data;
}

std::string of(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape +
         ", }  \n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(arrays_of_numpy_are_read) {
  const TemporaryFolder folder;
  const struct {
    std::string file;
    Tensor tensor;
  } cases[] = {
      {npy(of("<i2", "(2, 3)"), bytes({1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 255, 255})),
       Tensor::of<std::int16_t>({2, 3}, {1, 2, 3, 4, 5, -1})},
      {npy(of(">i2", "(2,)"), bytes({1, 0, 0, 7})), Tensor::of<std::int16_t>({2}, {256, 7})},
      {npy(of("|u1", "(2, 3)", true), bytes({1, 2, 3, 4, 5, 6})), Tensor::of<std::uint8_t>({2, 3}, {1, 3, 5, 2, 4, 6})},
      {npy(of("|u1", "(2, 2, 2)", true), bytes({0, 1, 2, 3, 4, 5, 6, 7})),
       Tensor::of<std::uint8_t>({2, 2, 2}, {0, 4, 2, 6, 1, 5, 3, 7})},
      {npy(of("<f4", "()"), bytes({0, 0, 128, 63})), Tensor::scalar(1.0f)},
      {npy(of("|b1", "(3,)"), bytes({1, 0, 1})), Tensor::of<bool>({3}, {true, false, true})},
      {npy(of("<f8", "(0, 3)"), ""), Tensor({f64, {0, 3}})},
      {npy("{\"shape\": (1,), \"descr\": \"<u2\", \"fortran_order\": False}", bytes({2, 1}), 2),
       Tensor::of<std::uint16_t>({1}, {258})},
  };
  for (const auto& [file, tensor] : cases) BOOST_TEST(same_bits(load_npy(folder.write("a.npy", file)), tensor));
}

BOOST_AUTO_TEST_CASE(arrays_are_written_and_read_back) {
  const TemporaryFolder folder;
  for (const DType dtype : all_dtypes) {
    if (dtype == bf16) continue;
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3, 4}, Shape{0, 2}}) {
      Tensor t({dtype, shape});
      for (std::int64_t i = 0; i < t.type().bytes(); ++i)
        t.bytes()[i] = static_cast<std::byte>(dtype == boolean ? i & 1 : i % 120);
      save_npy(folder / "t.npy", t);
      BOOST_TEST(same_bits(load_npy(folder / "t.npy"), t), to_string(t.type()));
    }
  }
  save_npy(folder / "t.npy", Tensor::of<float>({2}, {1, 2}));
  BOOST_TEST(folder.read("t.npy").size() == 128 + 8);
  BOOST_TEST(folder.read("t.npy").substr(10, 58) == "{'descr': '<f4', 'fortran_order': False, 'shape': (2, ), }");
  says([&] { save_npy(folder / "t.npy", Tensor({bf16, {1}})); }, "NumPy has no bf16. Cast to f32 first");
}

BOOST_AUTO_TEST_CASE(what_is_no_npy_is_refused) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  for (const auto& [file, said] : std::initializer_list<std::pair<std::string, std::string>>{
           {"", "it has only 0 bytes"},
           {"PK\3\4 a zip file", "it does not begin with"},
           {npy(of("<f4", "(2,)"), "1234567"), "f32[2] takes 8 bytes, but 7 follow its header"},
           {npy(of("<f4", "(2,)"), "123456789"), "but 9 follow"},
           {npy(of("<f4", "(2,)"), "12345678", 4), "it is of version 4"},
           {npy(of("<f4", "(4000000000, 4000000000)"), ""), "is not a valid npy file"},
           {npy(of("<f4", "(99999999999999999999,)"), ""), "its header is not"},
           {npy(of("<f4", "(-1,)"), ""), "its header is not"},
           {npy(of("<f4", "(1,1,1,1,1,1,1,1,1)"), "1234"), "it has more than 8 axes"},
           {npy(of("<U3", "(1,)"), "123456789012"), "its elements are \"<U3\" to NumPy"},
           {npy(of("<c8", "(1,)"), "12345678"), "its elements are \"<c8\" to NumPy"},
           {npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234"),
            "records of several fields"},
           {npy("{'descr': '<f4', 'shape': (1,)}", "1234"), "its header is not"},
           {npy("{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", "1234"), "its header is not"},
           {npy("{'descr': '<f4", "1234"), "its header is not"},
           {npy(of("|b1", "(1,)"), "2"), "its elements are bool, but have bytes other than 0 and 1"},
           {npy(of("<f4", "(1,)"), "").substr(0, 20), "It was cut short or damaged"}})
    says([&] { load_npy(folder.write("a.npy", file)); }, said);
  says([&] { load_npy(folder.write("a.npy", "")); }, path);
}

BOOST_AUTO_TEST_SUITE_END()
