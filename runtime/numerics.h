// The hunt for NaN and Inf: programs that look at what they compute, and name the node where it went wrong.
//
//   Program step = compile(fetches, {.numerics = {.check = CheckNumerics::results, .repro = "out/nan"}});
//   Model model = compile(loss, "adam", {.numerics = {.check = CheckNumerics::results}});
//
// With `results`, every run's fetched values are looked at, and what it wrote to variables at least every 64 runs (each
// run where that costs nothing beside it, 512 where runs take microseconds; `Session::check_numerics` asks for it at
// once). A run that went wrong is repeated from the variables that it found, node by node and without rewrites, which
// gives the same bits, until the first node that made a NaN or Inf out of finite inputs is known. `NumericsError` names
// it, and the variables are left as they were before that run, also where later runs have ended well since. Costs: a
// copy of all variables that the program writes and of the feeds since that copy was taken, but for those that were
// handed over (`Session::feed`); of a training step's time some percent (tools/docs/profile.md), more where a run is
// fed as many bytes as it computes and these are copied.
//
// With `all`, every node of every run is looked at before the run, so that a NaN is found that never reaches a result.
// That takes the time of running everything once more, node by node on one thread.
//
// An infinity that was built on purpose (a constant, or a variable whose first value is infinite) is not a fault, nor
// is what merely passes it on; a NaN that is made of it is.
#pragma once

#include <oxbow/graph/error.h>
#include <oxbow/graph/value.h>

#include <string>

namespace oxbow {

enum class CheckNumerics : std::uint8_t { off, results, all };

struct Numerics {
  CheckNumerics check = CheckNumerics::off;
  /// A folder, made when missing, for what repeats a finding: graph.txt, the node by itself, and inputs.safetensors,
  /// what it was given. `oxbow run FOLDER` shows the same NaN. Empty: nothing is written.
  std::string repro = {};
};

/// A run made a NaN or Inf. `what()` tells all; these are its parts.
class NumericsError : public Error {
 public:
  struct Found {
    std::string node;  ///< the full name of the node, input or variable: "dense/log_14"
    std::string op;    ///< "log"; "input" or "variable" where the fault was there before the run
    Phase phase = Phase::forward;
    Location at;             ///< the line that built it
    std::int64_t run = 0;    ///< which run of the session, from 1
    std::string element;     ///< where the first one is: "[3, 5]"
    std::string repro = {};  ///< the folder that was written, or ""
  };
  NumericsError(Found found, const std::string& message) : Error(message), found_(std::move(found)) {}
  const Found& found() const { return found_; }

 private:
  Found found_;
};

}  // namespace oxbow
