#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/average.h>
#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

void check(const Average& average) {
  if (const auto* ema = std::get_if<EMA>(&average)) check_fraction("EMA", "decay", ema->decay);
  if (const auto* swa = std::get_if<SWA>(&average); swa && (swa->start < 0 || swa->every < 1))
    throw Error("SWA: start is " + std::to_string(swa->start) + " and every is " + std::to_string(swa->every) +
                ", but must be at least 0 and 1");
}

Value averaged(const Average& average, Value before, Value parameter, Value updated, Value count) {
  if (const auto* ema = std::get_if<EMA>(&average))
    return ema->decay * where(equal(count, 1.0), parameter, before) + (1 - ema->decay) * updated;
  const SWA& swa = std::get<SWA>(average);
  const Value since = count - static_cast<double>(swa.start);
  const Value taken = cast(cast(since / static_cast<double>(swa.every), i64), f64);  // how many, with this one
  const Value now = equal(taken * static_cast<double>(swa.every), since);
  const Value mean = before + (updated - before) * cast(1.0 / maximum(taken, 1.0), updated.dtype());
  return where(less(taken, 1.0), updated, where(now, mean, before));
}

}  // namespace oxbow::optim
