// Several of NumPy's arrays in one file, .npz: a zip archive with a member NAME.npy for each.
// https://numpy.org/doc/stable/reference/generated/numpy.savez.html.
//
//   const Npz mnist = load_npz("mnist.npz");
//   const Dataset train{{"x", mnist["x_train"]}, {"label", mnist["y_train"]}};
//   const Dataset data = load_npz("data.npz").dataset();  // where all arrays are columns, and their names the inputs'
//
// Thread safety: functions without shared state; an Npz is read by any number of threads.
#pragma once

#include <oxbow/optim/dataset.h>

namespace oxbow {

/// Arrays by name, in the file's order.
struct Npz {
  std::vector<std::pair<std::string, Tensor>> arrays = {};

  std::vector<std::string> names() const;
  /// Throws `Error` with near names when there is no such array.
  const Tensor& operator[](std::string_view name) const;
  /// All of them as columns. Throws `Error` as `Dataset::add` does: for a scalar, or another number of rows.
  Dataset dataset() const;
};

/// numpy.load of what numpy.savez or numpy.savez_compressed wrote: each array as `load_npy` reads it. Throws `Error`
/// that names the file, the array and what is wrong: no zip archive, damaged (each has a checksum), encrypted, a member
/// that is no array, or packed so tightly that it is suspect (graph/support/limits.h).
Npz load_npz(const std::string& path);

struct NpzOptions {
  bool compress = false;  ///< by deflate, as numpy.savez_compressed
};

/// numpy.savez, atomically: `save_npz("x.npz", {{"x", x}, {"label", label}})`, or `data.columns()`. The same arrays
/// give the same bytes. The archive is made in memory first. Throws `Error` for a name given twice, one that is empty,
/// has a byte 0 or is not UTF-8, and as `save_npy` does; the old file is then untouched.
void save_npz(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& arrays,
              const NpzOptions& options = {});

}  // namespace oxbow
