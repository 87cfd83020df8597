// What `oxbow train` trains, and on what. Private to tools/commands/train*.cpp.
#pragma once

#include <oxbow/onnx.h>
#include <oxbow/optim/dataset.h>

#include <memory>
#include <optional>
#include <string>

#include "commands/train.h"

namespace oxbow::tools {

struct TrainData {
  Dataset train, test;  ///< the second may be empty
  std::string samples;  ///< what they are: "images"
};
/// MNIST of a folder, or the tensors of safetensors files. Throws `Error` for files that are neither, and for a test
/// set beside MNIST, which has one of its own.
TrainData read_data(const TrainCommand& options);

struct Subject {
  std::shared_ptr<Graph> graph;
  Value loss, accuracy, predictions;        ///< the last two may be empty
  std::optional<Store> parameters = {};     ///< of an ONNX file
  std::optional<NamedValues> outputs = {};  ///< of an ONNX file, to be written back
};
/// An example or a graph with a loss of its own; or an ONNX file, whose first output is compared with the column
/// "label": by cross entropy where that is of whole numbers, by the mean squared error where it is of the output's
/// type. Throws `Error` for a graph without a loss or, with MNIST, accuracy, and for an ONNX file without --train.
Subject read_subject(const TrainCommand& options, const Dataset& data);

}  // namespace oxbow::tools
