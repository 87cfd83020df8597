// Data from files: arrays by name, and what an exported model reads. Private to tools/commands.
#pragma once

#include <oxbow/optim/saved_model.h>

#include <string>
#include <string_view>

namespace oxbow::tools {

/// Whether a file of this name is to hold arrays by name: .safetensors or .npz.
bool holds_arrays(std::string_view path);
/// All of them as columns. Throws `Error` that names the file where they are none, or have no samples.
Dataset read_arrays(const std::string& path);

/// A table's columns as the model was trained on them, or arrays by the names of the inputs. With `truth` a table's
/// target too. Throws `Error` where the model does not say which columns it reads, and as the readers do.
Dataset read_model_data(const SavedModel& model, const std::string& path, bool truth);

}  // namespace oxbow::tools
