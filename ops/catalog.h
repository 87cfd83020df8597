// The catalogue of all ops of this library: what the parser knows and the generated tests go through.
// Thread safety: made on first use, read only; safe from any thread.
#pragma once

namespace oxbow {

class Catalog;

/// The leaves (input, constant, variable, assign) and every op of `ops/`.
const Catalog& catalog();

}  // namespace oxbow
