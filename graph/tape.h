// A tape: a straight-line program of elementwise ops, all of one shape, applied to many elements at once. `Fused` nodes
// run tapes over arrays; products run them on what they have just computed (graph/epilogue.h).
//
// Values are numbered: the inputs first, then each step's result. Inputs broadcast to the tape's shape; every step has it.
// Thread safety: a Tape and a TapePlan are immutable once made.
#pragma once

#include <oxbow/graph/catalog.h>

namespace oxbow {

struct Tape {
  struct Step {
    Op op;
    std::int32_t first, count;  ///< its operands are `args[first]` to `args[first + count]`
    bool operator==(const Step&) const = default;
  };
  std::int32_t inputs = 0;
  std::vector<Step> steps;
  std::vector<std::int32_t> args;     ///< all steps' operands, value numbers
  std::vector<std::int32_t> outputs;  ///< value numbers, without repetition
  bool operator==(const Tape&) const = default;

  bool empty() const { return steps.empty() && outputs.empty(); }
  /// Appends a step and returns its value number.
  std::int32_t add(Op op, std::span<const std::int32_t> operands);
  std::span<const std::int32_t> args_of(const Step& s) const {
    return std::span(args).subspan(static_cast<std::size_t>(s.first), static_cast<std::size_t>(s.count));
  }
  /// The types of all values. Throws `OpError` where a step refuses its operands, does not have the common shape, or a
  /// number is out of range.
  std::vector<Type> types(Types in) const;
};
AttrValue to_attr(const Tape& tape);
void from_attr(const AttrValue& a, Tape& tape, const Catalog& catalog);

/// A rectangle of a product's result: `rows` rows of `columns` elements that follow one another.
struct Block {
  std::int64_t first = 0;    ///< the place of its first element in the whole row-major result
  std::int64_t rows = 1, columns = 0;
  std::int64_t stride = 0;   ///< from one row to the next in the whole result, in elements
  const void* result = nullptr;       ///< input 0's elements: may be scratch, or the very place of output 0
  std::int64_t result_stride = 0;     ///< from one row to the next there, in elements
};

/// A tape made ready for operands of these types: routines looked up, operand kinds settled, slots allocated.
/// Elements are numbered row-major in the tape's shape.
class TapePlan {
 public:
  TapePlan() = default;
  /// `consumed` are values that a consumer reads: kept in a slot where they are no output.
  TapePlan(const Tape& tape, Types in, std::span<const std::int32_t> consumed = {});

  std::int64_t scratch() const { return scratch_; }  ///< bytes that a call may use, 64-byte aligned
  std::int64_t tile() const { return tile_; }        ///< elements that go through at once
  double flops() const { return flops_; }            ///< an element, estimated

  /// Computes the elements [begin, end) of all outputs, given whole arrays.
  void run(std::span<const ConstView> in, std::span<const View> out, std::int64_t begin, std::int64_t end,
           std::byte* scratch) const;
  /// The same for a block; `in` is all inputs but input 0, which the block holds.
  void run(std::span<const ConstView> in, std::span<const View> out, const Block& block, std::byte* scratch) const;

 private:
  std::int64_t scratch_ = 0, tile_ = 512;
  double flops_ = 0;
};

}  // namespace oxbow
