// What a command trains or differentiates. Private to tools/commands.
#pragma once

#include <oxbow/onnx.h>
#include <oxbow/optim/saved_model.h>

#include <memory>
#include <optional>
#include <string>

namespace oxbow::tools {

/// A loss, and what belongs to it.
struct Subject {
  std::shared_ptr<Graph> graph;
  Value loss, accuracy, predictions;        ///< the last two may be empty
  std::optional<Store> parameters = {};     ///< of an ONNX file or an exported model
  std::optional<NamedValues> outputs = {};  ///< of an ONNX file, to be written back
  std::optional<SavedModel> exported = {};  ///< an exported model, to be written back
};
/// An example or a graph with a loss of its own; or an ONNX file or an exported model, whose first output is compared
/// with the column of the data that is none of its inputs, "label" where there are several: by cross entropy where that
/// is of whole numbers, or the output that of a sigmoid; else by the mean squared error. A softmax or sigmoid at its
/// end goes into the loss. `trained`: patterns of an ONNX file's parameters. Throws `Error` for a graph without a loss,
/// for patterns of another net, and for data that do not say what is true.
Subject read_subject(const std::string& net, const std::vector<std::string>& trained, const Dataset& data);

}  // namespace oxbow::tools
