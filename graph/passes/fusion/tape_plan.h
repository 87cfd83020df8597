// A tape made ready to run: routines looked up, operand kinds settled, slots allocated like registers. Values between
// steps live in slots of 256 to 1024 lanes, so they stay in the first cache; operands of the tape's full shape are
// read, and outputs written, where they are, and so are single elements by the routines that take one
// (graph/passes/fusion/single.h). Every other operand (rows, columns, any broadcast) is laid out in a slot. Thread
// safety: immutable once made.
#pragma once

#include <oxbow/graph/passes/fusion/tape.h>

namespace oxbow::internal {

/// A rectangle of a product's result: `rows` rows of `columns` elements that follow one another.
struct TapeBlock {
  std::int64_t first = 0;  ///< the place of its first element in the whole row-major result
  std::int64_t rows = 1, columns = 0;
  std::int64_t stride = 0;         ///< from one row to the next in the whole result, in elements
  const void* result = nullptr;    ///< input 0's elements: may be scratch, or the very place of output 0
  std::int64_t result_stride = 0;  ///< from one row to the next there, in elements
};

class TapePlan {
 public:
  /// Inputs that a tape may have: so many that nobody meets the limit but `fuse`, which keeps it.
  static constexpr std::size_t max_inputs = 64;
  static constexpr std::size_t max_reductions = 16;

  TapePlan() = default;
  TapePlan(const Tape& tape, Types in) : TapePlan(tape, in, tape.reductions) {}
  /// With these reductions at its ends.
  TapePlan(const Tape& tape, Types in, std::span<const Tape::Reduction> reductions);

  std::int64_t scratch() const { return scratch_; }  ///< bytes that a call may use, 64-byte aligned
  double flops() const { return flops_; }            ///< an element, estimated
  /// Elements that reductions take at once: each call is for whole chunks, of which the array's last one may be
  /// shorter. 0: there are none.
  std::int64_t chunk() const { return consumers_.empty() ? 0 : consumers_[0].chunk; }

  /// Computes the elements [begin, end) of all outputs, numbered row-major in the tape's shape, given whole arrays, and
  /// what reductions give of them.
  void run(std::span<const ConstView> in, std::span<const View> out, std::int64_t begin, std::int64_t end,
           std::byte* scratch) const;
  /// The same for a block of input 0; `others` are the inputs 1, 2, ... as whole arrays. With reductions the block is
  /// as wide as the array.
  void run(std::span<const ConstView> others, std::span<const View> out, const TapeBlock& block,
           std::byte* scratch) const;

 private:
  struct Axis {
    std::int64_t size, stride;
  };
  /// An input that does not have the tape's shape: its axes merged where they can be, the innermost of stride 0 or 1.
  struct Spread {
    std::int32_t input = 0, rank = 0;
    std::array<Axis, Shape::max_rank> axes{};  ///< innermost first
    std::int64_t period = 1;                   ///< elements after which it repeats
    std::int64_t slot = 0;                     ///< bytes into the scratch
    TileFn repeat = nullptr;                   ///< lays out one element
    std::vector<std::int32_t> places = {};     ///< that point to it
  };
  struct Routine {
    TileFn fn;
    const void* op;
    std::int32_t first, count, result;  ///< places of its operands, side by side, and of its result
  };
  struct Moving {  ///< a place that points into an array, with each tile further on
    std::int32_t place, array;
    std::int64_t size;  ///< bytes an element
  };
  struct Fixed {  ///< a place that points to the same bytes for a whole call: a slot, or an input's single element
    std::int32_t place;
    std::int64_t of;  ///< bytes into the scratch, or the input
  };
  struct Source {
    const std::byte* bytes;
    std::int64_t first;  ///< the element that lies there
  };

  struct Sink {  ///< what reads a value, tile by tile
    const Consumer* consumer;
    void* state;
  };

  struct Pointee {  ///< what a place points to
    std::int32_t value;
    bool single = false;  ///< the single element of an input, by a routine that takes one
  };
  struct Slots {
    std::vector<std::int32_t> of;  ///< each value; -1 for what lies in an array
    std::int32_t count;
  };

  static Spread spread(const Type& from, const Type& to);
  std::vector<Pointee> settle_routines(const Tape& tape, const std::vector<Type>& types,
                                       std::span<const std::int32_t> consumed);
  std::int64_t settle_spreads(const Tape& tape, const std::vector<Type>& types, std::span<const Pointee> places,
                              std::int64_t grain);
  Slots settle_slots(const Tape& tape, std::span<const Pointee> places) const;
  void settle_places(const Tape& tape, const std::vector<Type>& types, std::span<const Pointee> places,
                     std::int64_t quantum);
  /// Chunk by chunk, where there are reductions.
  void run_chunks(const Source* in, std::span<const View> out, std::int64_t begin, std::int64_t end,
                  std::byte* scratch) const;
  /// Unless `fresh`, single elements lie in the scratch since a call for as many elements.
  void run(const Source* in, std::span<const View> out, std::int64_t begin, std::int64_t end, std::byte* scratch,
           std::span<const Sink> sinks, bool fresh) const;
  static void lay_out(const Spread& s, const std::byte* from, std::int64_t size, std::int64_t first, std::int64_t lanes,
                      std::byte* to);

  std::vector<Op> ops_;  // keeps what routines and consumers point to
  std::vector<Consumer> consumers_;
  std::int64_t states_ = 0;  // bytes into the scratch, where theirs lie one after another
  std::vector<Routine> routines_;
  // A call's pointers lie at the start of its scratch, in places: each routine's operands side by side, so that it is
  // handed them where they are; then results, and what sinks and copies read. Tile after tile the moving ones are
  // stepped in place, after the tile's routines: gathered just before each routine they would hold up its first loads,
  // which makes steps on arrays from memory a third slower.
  std::vector<Moving> reads_, writes_;
  std::vector<Fixed> slots_, singles_;
  std::vector<Spread> spreads_;
  std::vector<std::int32_t> sunk_;   // places of what sinks read
  std::vector<Moving> copies_;       // outputs that are inputs: the places of the inputs
  std::vector<std::int64_t> sizes_;  // bytes an element of every value
  bool direct_ = false;              // one step or none, and nothing to lay out: no tiles needed
  std::int64_t scratch_ = 0;
  std::int64_t tile_ = 0;  // elements
  double flops_ = 0;
};

}  // namespace oxbow::internal
