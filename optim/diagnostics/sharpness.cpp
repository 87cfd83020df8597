#include <oxbow/ops/linalg/product.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/sharpness.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace oxbow::optim {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

std::string direction(std::size_t i) { return "sharpness_" + std::to_string(i); }

// The same numbers everywhere, as std::normal_distribution does not give. Any vector serves that is not orthogonal to
// the one sought.
Vector first_vector(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  Vector v(n);
  for (double& x : v) x = static_cast<double>(bits() >> 11) * 0x1p-52 - 1;
  return v;
}

template <Element T>
void pour(const double* from, Tensor& to) {
  for (std::int64_t i = 0; i < to.count(); ++i) to.data<T>()[i] = static_cast<T>(from[i]);
}

// Power iteration on H + shift I until |H v - lambda v| is small beside |lambda + shift|. Gives lambda.
template <class Product>
double dominant(Vector v, const Product& product, double shift, const SharpnessOptions& o, Curvature& c) {
  double lambda = 0;
  c.converged = false;
  double length = std::sqrt(dot(v, v));
  while (c.products < o.most_products) {
    for (double& x : v) x /= length;
    Vector w = product(v);
    ++c.products;
    lambda = dot(v, w);
    double off = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      off += (w[i] - lambda * v[i]) * (w[i] - lambda * v[i]);
      w[i] += shift * v[i];
    }
    c.converged = std::sqrt(off) <= o.tolerance * std::abs(lambda + shift);
    length = std::sqrt(dot(w, w));
    if (length == 0) c.converged = true;  // an eigenvector to the last bit, whose eigenvalue is -shift
    if (c.converged) break;
    v = std::move(w);
  }
  return lambda;
}

}  // namespace

double Curvature::highest_rate() const { return largest > 0 ? 2 / largest : std::numeric_limits<double>::infinity(); }

Sharpness::Sharpness(Value loss, std::vector<Value> parameters, At at) {
  if (parameters.empty()) parameters = variables(loss.graph());
  if (parameters.empty())
    throw Error("sharpness: the graph has no trainable variable\n  at " + to_string(Location(at)) +
                "\n  Build it from layers, or from parameter(g, ...)");
  const std::vector<Value> slopes = gradients(loss, parameters, at);
  Value along;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    types_.push_back(parameters[i].type());
    const std::vector<Dim> dims(types_[i].shape.begin(), types_[i].shape.end());
    const Value v = input(loss.graph(), direction(i), types_[i].dtype, dims, at);
    const Value part = cast(sum(multiply(slopes[i], v, at), {}, false, at), f64, at);
    along = i == 0 ? part : add(along, part, at);
  }
  program_ = compile(gradients(along, parameters, at), {.mode = Mode::inference});
}

Curvature Sharpness::measure(const Store& store, const std::map<std::string, Tensor>& feeds, SharpnessOptions o) const {
  if (o.most_products < 1 || !(o.tolerance > 0))
    throw Error("sharpness: give at least one product and a tolerance above 0");
  Session session(program_, store);
  for (const auto& [name, tensor] : feeds)
    for (const auto& in : program_.inputs())
      if (in.name == name) session.feed(name, tensor);
  std::vector<Tensor> directions;
  std::size_t count = 0;
  for (std::size_t i = 0; i < types_.size(); ++i) {
    directions.emplace_back(types_[i]);
    count += static_cast<std::size_t>(types_[i].count());
  }

  const auto product = [&](const Vector& v) {
    const double* next = v.data();
    for (std::size_t i = 0; i < types_.size(); ++i, next += types_[i - 1].count()) {
      dispatch(types_[i].dtype, [&]<class T>(std::type_identity<T>) { pour<T>(next, directions[i]); });
      for (const auto& in : program_.inputs())
        if (in.name == direction(i)) session.feed(direction(i), directions[i]);
    }
    session.run();
    Vector w;
    w.reserve(count);
    for (int i = 0; i < static_cast<int>(types_.size()); ++i) {
      dispatch(types_[static_cast<std::size_t>(i)].dtype, [&]<class T>(std::type_identity<T>) {
        for (const T x : session.fetch<T>(i)) w.push_back(static_cast<double>(x));
      });
    }
    for (const double x : w)
      if (!std::isfinite(x)) throw Error("sharpness: the Hessian has a NaN or Inf: the loss is not finite here");
    return w;
  };

  Curvature c;
  const Vector first = first_vector(count, o.seed);
  c.largest = dominant(first, product, 0, o, c);
  // The eigenvalue of largest size may be the most negative one: with it taken off, all are at least 0.
  if (c.largest < 0) c.largest = dominant(first, product, -c.largest, o, c);
  return c;
}

}  // namespace oxbow::optim
