// Files that are larger than memory, mapped: a row is read when it is asked for, and what was read the system may
// forget again. They must be left alone meanwhile: whoever shortens one ends the process.
//
//   Dataset data{{"label", load_npy("label.npy")}};
//   data.add("x", map_npy("x.npy"));                      // 40 GB
//   model.fit(data.split(0.1).first, {.epochs = 3, .workers = 2});
//
// Thread safety: functions without shared state; rows as all `Rows` (optim/rows.h).
#pragma once

#include <oxbow/optim/dataset.h>

namespace oxbow {

/// NumPy: load(path, mmap_mode="r"). Either byte order. Throws `Error` as `load_npy` does, for a scalar, and for an
/// array whose first axis is the fastest: its rows lie apart.
Rows map_npy(const std::string& path);

/// Rows of an IDX file, as `load_idx` reads them. Throws `Error` as that does, for a scalar, and for a gzipped file.
Rows map_idx(const std::string& path);

/// All tensors of a safetensors file as columns. Throws `Error` as `load_safetensors` and `Dataset::add` do, but checks
/// the header alone: a checksum is of all bytes.
Dataset map_safetensors(const std::string& path);

}  // namespace oxbow
