// The `oxbow` program as a shell user calls it.
#pragma once

#include <string>
#include <utility>

#include "command.h"
#include "has.h"
#include "places.h"
#include "temporary_folder.h"

namespace oxbow::test {

inline const std::string programs = program("");
inline const std::string mnist = " --data " + source("tools/data/mnist10k");

// Standard output and standard error together.
inline Finished oxbow_(const std::string& arguments) { return command(programs + "oxbow " + arguments + " 2>&1"); }

// MNIST files of the given numbers of 28x28 images; every label is `label`.
inline std::string small_mnist(const TemporaryFolder& folder, int train, int test, char label = 1) {
  const auto count = [](int n) { return std::string{0, 0, static_cast<char>(n >> 8), static_cast<char>(n)}; };
  for (const auto& [name, n] : {std::pair{"train", train}, std::pair{"t10k", test}}) {
    const std::string images = std::string{0, 0, 8, 3} + count(n) + count(28) + count(28);
    folder.write(std::string(name) + "-images-idx3-ubyte", images + std::string(static_cast<std::size_t>(n) * 784, 7));
    folder.write(std::string(name) + "-labels-idx1-ubyte",
                 std::string{0, 0, 8, 1} + count(n) + std::string(static_cast<std::size_t>(n), label));
  }
  return " --data " + (folder / "");
}

}  // namespace oxbow::test
