// What must hold for any bytes that claim to be a file of tensors, a table, a picture or a model: they are refused with
// the file's name, or what they say is read back from what is written. For the fuzzers and for the tests that read
// their corpora.
#pragma once

#include <string>
#include <string_view>

namespace oxbow::test {

/// "" when all holds, otherwise what does not.
std::string read_hostile_safetensors(std::string_view bytes);
std::string read_hostile_idx(std::string_view bytes);
std::string read_hostile_csv(std::string_view bytes);
std::string read_hostile_npy(std::string_view bytes);
std::string read_hostile_npz(std::string_view bytes);
std::string read_hostile_image(std::string_view bytes);
std::string read_hostile_exported(std::string_view bytes);

}  // namespace oxbow::test
