#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/optim/optimizers/adafactor.h>

#include <cmath>

namespace oxbow::optim {

namespace {

Value rms(Value x) { return norm(x) / std::sqrt(static_cast<double>(x.type().count())); }

}  // namespace

void Adafactor::check() const {
  if (!(beta_2_decay <= 0 && std::isfinite(beta_2_decay)))
    throw Error("adafactor: beta_2_decay must be a number that is not above 0, -0.8 for instance");
  if (convention == Convention::keras) check_epsilon(info.name, "epsilon_1", epsilon_1(convention));
  check_not_negative(info.name, "epsilon_1", epsilon_1(convention));
  check_not_negative(info.name, "epsilon_2", epsilon_2);
  check_positive(info.name, "clip_threshold", clip_threshold);
  check_not_negative(info.name, "weight_decay", weight_decay);
}

std::vector<Slot> Adafactor::slots(const ops::Variable& parameter) const {
  const DType dtype = parameter.type.dtype;
  const Shape& shape = parameter.type.shape;
  if (shape.rank() < 2) return {{v, {dtype, shape}}};
  return {{rows, {dtype, shape.with(shape.rank() - 1, 1)}}, {columns, {dtype, shape.with(shape.rank() - 2, 1)}}};
}

std::vector<SharedValue> Adafactor::shared(Value rate, Value count) const {
  const Value share = pow(count, constant(count.graph(), beta_2_decay, f64));
  return {{new_share, share}, {old_share, 1.0 - share}, {largest_step, minimum(rate, rsqrt(count))}};
}

Updated Adafactor::update(const Step& s) const {
  const bool keras = convention == Convention::keras;
  const Value w = s.parameter, g = s.gradient;
  const double machine = dispatch(s.parameter.dtype(), []<class T>(std::type_identity<T>) {
    return static_cast<double>(std::numeric_limits<T>::epsilon());
  });
  const double least = keras || epsilon_1(convention) > 0 ? epsilon_1(convention) : machine;
  const Value squares = keras ? square(g) + least : square(g);
  const auto averaged = [&](Value before, Value now) { return s[old_share] * before + s[new_share] * now; };

  std::vector<SlotValue> kept;
  Value root;
  const auto root_of = [&](Value variance) { return sqrt(keras ? variance : maximum(variance, least * least)); };
  if (w.rank() < 2) {
    const Value new_v = averaged(s[v], squares);
    root = root_of(new_v);
    kept = {{v, new_v}};
  } else {
    const Value new_rows = averaged(s[rows], mean(squares, {-1}, true));
    const Value new_columns = averaged(s[columns], mean(squares, {-2}, true));
    const Value size = mean(new_rows, {-2}, true);
    // Roots before the product: where a row and its column are both without gradient, that would be too small a number.
    root = keras ? sqrt(new_rows / size) * sqrt(new_columns) : root_of(new_rows / maximum(size, least) * new_columns);
    kept = {{rows, new_rows}, {columns, new_columns}};
  }
  const Value step = g / root;
  const Value of_w = keras && weight_decay != 0 ? rms(w) * abs(1.0 - s.rate * weight_decay) : rms(w);
  const Value size = maximum(of_w, epsilon_2) * s[largest_step];
  return {moved(s, size / maximum(rms(step) / clip_threshold, 1.0) * step, weight_decay, Convention::keras), kept};
}

}  // namespace oxbow::optim
