// How much a file may ask for, and how much a message shows: all limits, in one place. tools/docs/files.md has them as
// a table. A reader refuses what goes beyond one with an `Error` that names it. Constants only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace oxbow::internal::limits {

// Messages. What is longer is shown with "..." in its middle.
inline constexpr std::size_t shown_name = 120;             ///< bytes of a name or a value
inline constexpr std::size_t shown_names = 100;            ///< names of a list
inline constexpr std::size_t message = 16'384;             ///< bytes of a whole message
inline constexpr std::size_t compared_letters = 1u << 24;  ///< pairs of letters, to find what a name may have meant

// Safetensors.
inline constexpr std::int64_t header_bytes = 100'000'000;  ///< the reference implementation's limit
inline constexpr int header_depth = 32;                    ///< objects and lists within one another
inline constexpr std::size_t tensors = 1'000'000;
inline constexpr std::size_t metadata_entries = 100'000;

// Graphs, and plans as texts.
inline constexpr std::size_t text_bytes = std::size_t{1} << 30;  ///< of a file that the `oxbow` program reads
inline constexpr std::int64_t nodes = 4'000'000;                 ///< of a text, and with all loops written out
inline constexpr std::size_t scope_bytes = 1000;                 ///< a heading's scope is that of all nodes below it
inline constexpr std::size_t scope_depth = 64;
inline constexpr std::size_t tape_steps = 1024;  ///< of a `fused` node; the engine's own have 256
inline constexpr int attribute_depth = 64;       ///< records and lists within one another
/// A tensor of equal elements ("splat"), and all of a text together: what a text may make its reader allocate without
/// holding as much itself.
inline constexpr std::int64_t splat_bytes = std::int64_t{1} << 26, all_splats_bytes = 4 * splat_bytes;

// What is computed before anything runs. Beyond it a value is not known, what is computed from constants is not folded,
// and an op that needs larger tables is refused.
inline constexpr std::int64_t known_bytes = std::int64_t{64} << 20;   ///< of a graph's known values
inline constexpr std::int64_t folded_bytes = std::int64_t{64} << 20;  ///< of a pass, beside twice the graph's constants

// Plans.
/// All values of a graph together, and the scratch memory of a thread: half of what x86-64 can address. Whatever a plan
/// Of the tables that ops make of shapes (graph/support/tables.h): those of a rewriting, and those of a plan.
inline constexpr std::int64_t table_bytes = std::int64_t{128} << 20;
/// sums up of them is far from what a number holds.
inline constexpr std::int64_t plan_bytes = std::int64_t{1} << 56;

// IDX, npz, pictures. A packed file may hold so much, or so many times its own size where that is more.
inline constexpr std::int64_t unpacked_bytes = std::int64_t{64} << 20;
inline constexpr std::int64_t unpacked_times = 100;

// Tables as CSV, and NumPy's arrays.
inline constexpr std::size_t csv_record_bytes = std::size_t{16} << 20;  ///< of a line, line ends in quotes included
inline constexpr std::size_t csv_columns = 100'000;
inline constexpr std::size_t one_hot_columns = 1000;  ///< that a column of text becomes; beyond it codes are asked for
inline constexpr std::int64_t npy_header_bytes = std::int64_t{1} << 20;
inline constexpr std::size_t npz_name_bytes = 60'000;  ///< of an array; a zip archive counts them in 16 bits

// Pictures. Checked before there is memory for one.
inline constexpr std::int64_t image_side = 65'500;  ///< pixels; what libjpeg takes at most
inline constexpr int image_passes = 50;             ///< of a progressive JPEG

// ONNX.
inline constexpr std::int64_t onnx_messages = 4'000'000;  ///< messages and texts of a file
inline constexpr int onnx_depth = 64;                     ///< messages within one another
inline constexpr int onnx_calls = 32;                     ///< functions that call one another
inline constexpr std::int64_t onnx_nodes = 1'000'000;     ///< with all functions and loops written out
/// So many of each, and one a byte of the file beside its tensors: what a small file repeats takes no longer than it
/// says.
inline constexpr std::int64_t onnx_written_out = 100'000;

// Histories: CSV, JSON, JSON lines.
inline constexpr std::size_t history_bytes = std::size_t{256} << 20;
inline constexpr std::size_t history_columns = 10'000;
inline constexpr std::size_t history_cells = 100'000'000;  ///< rows times columns
inline constexpr std::size_t history_cells_a_byte = 16;    ///< of the file, where that is fewer
inline constexpr int history_depth = 32;                   ///< JSON objects and lists within one another

}  // namespace oxbow::internal::limits
