// What `--data FILE` stands for, by the net that it is for: the same for all commands. Private to tools/commands.
#pragma once

#include <oxbow/optim/saved_model.h>

#include <string>
#include <string_view>

namespace oxbow::tools {

/// For the help of `--data`.
constexpr const char* data_help =
    "arrays named as the inputs (.safetensors, .npz), a table (.csv), or a folder with the four MNIST files";

struct Data {
  Dataset train, test;  ///< the second may be empty
  std::string samples;  ///< what they are: "images"
};

/// Data for a net, an example's name or a file that `load` takes. `test` names further samples; "" for none. Of a
/// table: a column fills the input of its name; those that are left fill, in their order, the one input that is no
/// column ([any, 4], images), if there is one, but for a column "label", with which a net that only predicts is
/// compared. An exported model reads the columns that it was exported with. Throws `Error` for files that are none of
/// these, columns that do not fit, a missing value or text with its row, and a test set beside MNIST, which has one of
/// its own.
Data read_data(const std::string& net, const std::string& data, const std::string& test = "");

/// The same for an exported model, with a table's target only for `truth`.
Dataset read_model_data(const SavedModel& model, const std::string& path, bool truth);

/// The first `rows` samples of all columns that are inputs of these names.
std::map<std::string, Tensor> first_rows(const Dataset& data, std::int64_t rows);

}  // namespace oxbow::tools
