// What a graph is compiled for. Thread safety: a value.
#pragma once

#include <cstdint>

namespace oxbow {

/// Training or inference: in inference, dropout and batch statistics are replaced by what serves prediction.
enum class Mode : std::uint8_t { training, inference };

}  // namespace oxbow
