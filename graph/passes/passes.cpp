#include <oxbow/graph/passes/common_subexpressions.h>
#include <oxbow/graph/passes/dead_code.h>
#include <oxbow/graph/passes/epilogue.h>
#include <oxbow/graph/passes/fold.h>
#include <oxbow/graph/passes/fuse.h>
#include <oxbow/graph/passes/lower.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/simplify.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/verify.h>

#include <algorithm>
#include <array>

namespace oxbow {
namespace {

constexpr std::array all{
    Pass{"dead_code", dead_code},
    Pass{"simplify", simplify},
    Pass{"common_subexpressions", common_subexpressions},
    Pass{"lower", lower, false},
    Pass{"simplify", simplify},  // pairs of packing and unpacking, say, that lowering brought together
    Pass{"fold", fold},
    Pass{"common_subexpressions", common_subexpressions},
    Pass{"dead_code", dead_code},
    Pass{"fuse", fuse},
    Pass{"epilogue", epilogue},
};

}  // namespace

std::span<const Pass> passes() { return all; }

std::string stage_name(const Pass& pass) {
  const auto runs = std::count_if(all.data(), &pass + 1, [&](const Pass& p) { return p.name == pass.name; });
  return std::string(pass.name) + (runs > 1 ? std::to_string(runs) : "");
}

void check_disabled(std::span<const std::string> disable) {
  for (const std::string& name : disable) {
    const auto pass = std::find_if(all.begin(), all.end(), [&](const Pass& p) { return p.name == name; });
    if (pass != all.end() && pass->optional) continue;
    std::vector<std::string> names;
    for (auto p = all.begin(); p != all.end(); ++p)
      if (p->optional && std::none_of(all.begin(), p, [&](const Pass& q) { return q.name == p->name; }))
        names.emplace_back(p->name);
    throw Error(in_quotes(name) + " is not a rewrite that can be left out\n  These can: " + listed(names));
  }
}

Rewritten rewrite(const Graph& from, std::span<const std::string> disable, const PassObserver& observe) {
  check_disabled(disable);
  std::optional<Rewritten> done;
  for (const Pass& pass : all) {
    std::optional<Rewritten> next;
    if (std::find(disable.begin(), disable.end(), pass.name) == disable.end())
      next = pass.run(done ? *done->graph : from);
#ifndef NDEBUG
    if (next) verify(*next->graph);
#endif
    if (observe) observe(pass, next);
    if (next) done = done ? chain(std::move(*done), std::move(*next)) : std::move(next);
  }
  return done ? std::move(*done) : copy_of(from);
}

Rewritten rewrite_unfused(const Graph& from) {
  static const std::vector<std::string> without{"fuse", "epilogue"};
  return rewrite(from, without);
}

}  // namespace oxbow
