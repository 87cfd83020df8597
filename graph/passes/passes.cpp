#include <oxbow/graph/passes/common_subexpressions.h>
#include <oxbow/graph/passes/dead_code.h>
#include <oxbow/graph/passes/fold.h>
#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/graph/passes/fusion/fuse.h>
#include <oxbow/graph/passes/layout.h>
#include <oxbow/graph/passes/lower.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/simplify.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/tables.h>
#include <oxbow/graph/verify.h>

#include <algorithm>
#include <array>

namespace oxbow::internal {
namespace {

// A pass that goes by the graph alone.
template <std::optional<Rewritten> (*pass)(const Graph&)>
std::optional<Rewritten> alone(const Graph& from, const PassContext&) {
  return pass(from);
}

constexpr std::array all{
    Pass{"dead_code", alone<dead_code>},
    Pass{"simplify", alone<simplify>},
    Pass{"common_subexpressions", alone<common_subexpressions>},
    Pass{"layout", alone<layout>},
    Pass{"lower", alone<lower>, false},
    Pass{"simplify", alone<simplify>},  // pairs of packing and unpacking, say, that lowering brought together
    Pass{"fold", alone<fold>},
    Pass{"common_subexpressions", alone<common_subexpressions>},
    Pass{"dead_code", alone<dead_code>},
    Pass{"fuse", alone<fuse>},
    Pass{"epilogue", alone<epilogue>},
};

}  // namespace

std::span<const Pass> passes() { return all; }

std::string stage_name(const Pass& pass) {
  const auto runs = std::count_if(all.data(), &pass + 1, [&](const Pass& p) { return p.name == pass.name; });
  return std::string(pass.name) + (runs > 1 ? std::to_string(runs) : "");
}

std::vector<std::string> optional_passes() {
  std::vector<std::string> names;
  for (auto p = all.begin(); p != all.end(); ++p)
    if (p->optional && std::none_of(all.begin(), p, [&](const Pass& q) { return q.name == p->name; }))
      names.emplace_back(p->name);
  return names;
}

void check_disabled(std::span<const std::string> disable) {
  for (const std::string& name : disable) {
    const auto pass = std::find_if(all.begin(), all.end(), [&](const Pass& p) { return p.name == name; });
    if (pass != all.end() && pass->optional) continue;
    throw Error(in_quotes(name) + " is not a rewrite that can be left out\n  These can: " + listed(optional_passes()));
  }
}

Rewritten rewrite(const Graph& from, const RewriteOptions& options) {
  const std::vector<std::string>& disable = options.disable;
  check_disabled(disable);
  std::int64_t table_bytes = 0;
  const CountTables counting(table_bytes);
  std::optional<Rewritten> done;
  for (const Pass& pass : all) {
    std::optional<Rewritten> next;
    if (std::find(disable.begin(), disable.end(), pass.name) == disable.end())
      next = pass.run(done ? *done->graph : from, options.context);
#ifndef NDEBUG
    if (next) verify(*next->graph);
#endif
    if (options.observe) options.observe(pass, next);
    if (next) done = done ? chain(std::move(*done), std::move(*next)) : std::move(next);
  }
  return done ? std::move(*done) : copy_of(from);
}

Rewritten rewrite_unfused(const Graph& from) { return rewrite(from, {.disable = {"fuse", "epilogue"}}); }

}  // namespace oxbow::internal
