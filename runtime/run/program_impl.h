// The inside of a Program: the graph for any shapes, and one plan for each set of shapes that was asked for.
// Thread safety: immutable but for the plans, which a lock guards.
#pragma once

#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/runtime/plan.h>
#include <oxbow/runtime/program.h>

#include <mutex>

namespace oxbow {

struct Program::Impl {
  /// `oxbow::compile` with a grain.
  static Program compile(Values fetches, CompileOptions options, const Grain& grain);

  internal::Rewritten graph;  ///< specialised to the example sizes; it specialises further to others
  CompileOptions options;
  Grain grain;
  std::vector<ops::Input> inputs;  ///< what is fed
  std::vector<Location> declared;  ///< where, input by input
  std::vector<Type> outputs;
  std::vector<std::string> output_names;

  /// The plan for these shapes, one an input: made at the first call, kept for later ones until `options.cached_shapes`
  /// others were asked for.
  std::shared_ptr<const Plan> plan(std::span<const Shape> shapes) const;
  /// The number of an input. Throws `Error` with near names.
  int input(std::string_view name) const;

 private:
  struct Cached {
    std::vector<Shape> shapes;
    std::shared_ptr<const Plan> plan;
  };
  mutable std::mutex mutex_;
  mutable std::vector<Cached> plans_;  // guarded by mutex_; the last used at the end
};

}  // namespace oxbow
