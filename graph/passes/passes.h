// The rewrites between specialising and planning. Each is a small header and file of its own and may be left out
// ("ablated"); none changes a bit of any output. Some run again after what makes work for them: passes.cpp has the
// order.
//
//   dead_code               nodes that no output needs go
//   simplify                an op's own cheaper equal (`Op::simplify`)
//   common_subexpressions   equal ops on equal inputs become one
//   layout                  transpositions that undo each other cancel out, across ops that axes' order is the same to
//   lower                   ops made of several kernels become several nodes; not a choice, so it has no switch
//   fold                    what depends on constants only is computed once, here
//   fuse                    elementwise chains and the reductions at their ends become one pass over memory
//   epilogue                a product applies what follows it to blocks that are still in cache
//
// Thread safety: pure functions of a graph that nobody appends to, as every pass is.
#pragma once

#include <oxbow/graph/mode.h>
#include <oxbow/graph/passes/rewriter.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace oxbow::internal {

/// What a graph is rewritten for. A pass may go by it in what it chooses, and keeps every bit all the same. Nothing
/// where it is not known: of a body, which an op rewrites while it is lowered itself.
struct PassContext {
  std::optional<Mode> mode = {};
  std::optional<int> threads = {};  ///< that the plan will be made for
};

struct Pass {
  std::string_view name;
  std::optional<Rewritten> (*run)(const Graph& from, const PassContext& context);  ///< empty: nothing to do
  bool optional = true;
};

/// All passes in their order. A name may occur twice: its switch then means both.
std::span<const Pass> passes();

/// What a pass's place among them is called: "simplify" for the first run of a pass, "simplify2" for its second.
std::string stage_name(const Pass& pass);

/// The names of those that can be left out.
std::vector<std::string> optional_passes();

/// Throws `Error` for a name that is not a pass or that cannot be left out.
void check_disabled(std::span<const std::string> disable);

struct RewriteOptions {
  PassContext context = {};
  std::vector<std::string> disable = {};  ///< passes to leave out, by name
  /// Told of each pass in turn, and what came out: nothing where it is left out or had nothing to do.
  std::function<void(const Pass& pass, const std::optional<Rewritten>& made)> observe = {};
};

/// The graph after all passes but those that are left out: what the planner takes, every op with `run`. Outputs keep
/// their names and order. Throws as `check_disabled` does.
Rewritten rewrite(const Graph& from, const RewriteOptions& options = {});

/// The same without what makes nodes larger (`fuse`, `epilogue`): for a graph that becomes part of another.
Rewritten rewrite_unfused(const Graph& from);

}  // namespace oxbow::internal
