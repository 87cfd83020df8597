// A tape: a straight-line program of elementwise ops, all of one shape, applied to many elements at once. `Fused` nodes
// run tapes over arrays; products run them on what they have just computed (graph/passes/fusion/epilogue.h).
//
// Values are numbered: the inputs first, then each step's result. Inputs broadcast to the tape's shape; every step has
// it. A product's tape may end in reductions, which read its values while they are in cache; a fused node has its own.
// A regular value type. `TapePlan` (graph/passes/fusion/tape_plan.h) makes it ready to run.
#pragma once

#include <oxbow/graph/catalog.h>

#include <algorithm>

namespace oxbow::internal {

inline std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }

struct Tape {
  struct Step {
    Op op;
    std::int32_t first, count;  ///< its operands are `args[first]` to `args[first + count]`
    bool operator==(const Step&) const = default;
  };
  struct Reduction {
    Op op;            ///< has `consume`
    std::int32_t of;  ///< the value that it reads
    bool operator==(const Reduction&) const = default;
  };
  std::int32_t inputs = 0;
  std::vector<Step> steps = {};
  std::vector<std::int32_t> args = {};     ///< all steps' operands, value numbers
  std::vector<std::int32_t> outputs = {};  ///< value numbers, without repetition
  std::vector<Reduction> reductions = {};  ///< their results follow the outputs
  bool operator==(const Tape&) const = default;

  bool empty() const { return steps.empty() && outputs.empty(); }
  /// Appends a step and returns its value number.
  std::int32_t add(Op op, std::span<const std::int32_t> operands);
  std::span<const std::int32_t> args_of(const Step& s) const {
    return std::span(args).subspan(static_cast<std::size_t>(s.first), static_cast<std::size_t>(s.count));
  }
  /// Of each input the number of the last step that reads it: -1 where none does, beyond all where it is an output.
  std::vector<std::int32_t> last_reads() const;
  /// Whether output number `output` may lie in the bytes of input `input` (of the tape's own shape), whose last read is
  /// `last_read`: whether no step reads that input after the one that writes the output.
  bool may_overwrite(std::int32_t output, std::int32_t input, std::int32_t last_read) const {
    const std::int32_t written = outputs[static_cast<std::size_t>(output)];
    return written == input || written - inputs >= std::max(last_read, 0);  // an input is copied at the end
  }
  /// The types of all values. Throws `OpError` where a step refuses its operands, does not have the common shape, or a
  /// number is out of range.
  std::vector<Type> types(Types in) const;
};
/// The types of the tape's outputs and of what reductions give, whose values have `types`. Throws `OpError` where one
/// of them is no reduction, or does not read a value of the tape's shape.
std::vector<Type> output_types(const Tape& tape, std::span<const Tape::Reduction> reductions,
                               std::span<const Type> types);

AttrValue to_attr(const std::vector<Tape::Reduction>& reductions);
void from_attr(const AttrValue& a, std::vector<Tape::Reduction>& reductions, const Catalog& catalog);
AttrValue to_attr(const Tape& tape);
void from_attr(const AttrValue& a, Tape& tape, const Catalog& catalog);

/// The op that a record {op: "name", with: {attributes}} describes. Throws `Error` when the catalogue does not have it.
Op op_from_attr(const AttrValue& record, const Catalog& catalog);

}  // namespace oxbow::internal
