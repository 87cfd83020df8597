// Training steps written out by hand, without an engine: a floor for what one can reach on the machine. Each computes
// the whole step of the net of the same name in tools/bench/nets.cpp, forward, backward and Adam, from the same
// values.
#pragma once

#include <map>
#include <string>

#include "team.h"

namespace straight {

using Values = std::map<std::string, std::vector<float>>;

/// The name of the i-th layer of its kind, as the engine gives it.
inline std::string numbered(const std::string& name, std::size_t i) {
  return i == 0 ? name : name + "_" + std::to_string(i);
}

/// What a training starts from: the engine's initial values by name, and one batch.
struct Start {
  Values variables;
  std::vector<float> x;     ///< images, or
  std::vector<int> tokens;  ///< text
  std::vector<int> labels;
};

class Net {
 public:
  virtual ~Net() = default;
  /// One step; returns the loss that it started from.
  virtual float step() = 0;
  /// What training has made of the variables, for comparing.
  virtual Values variables() const = 0;
};

std::unique_ptr<Net> mlp_large(const Start& start, Team& team);
std::unique_ptr<Net> resnet20(const Start& start, Team& team);
std::unique_ptr<Net> mobilenet(const Start& start, Team& team);
std::unique_ptr<Net> lstm(const Start& start, Team& team);
std::unique_ptr<Net> gpt(const Start& start, Team& team);
std::unique_ptr<Net> gpt2_wide(const Start& start, Team& team);

}  // namespace straight
