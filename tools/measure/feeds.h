// What graphs are fed with by the program's commands: files of the user's, MNIST, or random numbers.
// Thread safety: functions without shared state.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/optim/mnist.h>

#include <map>
#include <span>
#include <string>
#include <vector>

namespace oxbow::tools {

using Feeds = std::map<std::string, Tensor>;

/// A tensor of this input's type, the same at every call: floats in [0, 1), booleans, and integers that no reader
/// refuses: labels below the number of classes, indices within their table; below 10 where nothing limits them.
Tensor random_feed(const Graph& graph, const std::string& input, const Shape& shape);

/// Reads `--feed` options: "x=file.safetensors" feeds x the tensor of that name, or the file's only one;
/// "file.safetensors" feeds all that it holds. Throws `Error` for a file that cannot be read, and for a tensor that no
/// input of the graph takes.
Feeds read_feeds(const Graph& graph, std::span<const std::string> options);

/// MNIST of a folder; as images, [n, rows, columns, 1], where the graph's input "x" has four axes.
Mnist load_mnist_for(const Graph& graph, const std::string& folder);

}  // namespace oxbow::tools
