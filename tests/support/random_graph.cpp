#include "random_graph.h"

#include <oxbow/graph/leaves.h>

#include <algorithm>
#include <set>

#include "random_builder.h"

namespace oxbow::test {

RandomGraph RandomBuilder::build() {
  choose_shapes();
  leaves();
  const int steps = 4 + pick(14);
  for (int i = 0; i < steps; ++i) grow();
  finish();
  return std::move(out_);
}

void RandomBuilder::choose_shapes() {
  std::vector<std::int64_t> sizes;
  const int rank = pick(5);
  for (int i = 0; i < rank; ++i) sizes.push_back(one_of(std::vector<std::int64_t>{1, 2, 3, 5, 8, 16, 17, 33}));
  if (rank == 4) sizes = {1 + pick(3), 3 + pick(7), 3 + pick(7), one_of(std::vector<std::int64_t>{1, 3, 4, 6, 17})};
  if (rank > 0 && chance(4)) sizes[static_cast<std::size_t>(pick(rank))] = 0;
  if (rank > 0 && rank < 4 && chance(14)) {  // long in one axis
    for (std::int64_t& s : sizes) s = std::min<std::int64_t>(s, 3);
    sizes[static_cast<std::size_t>(chance(40) ? rank - 1 : pick(rank))] = chance(40) ? 4000 : 4200;
  }
  full_ = Shape(sizes);
}

Shape RandomBuilder::part_of_full() {
  if (chance(50)) return full_;
  std::vector<std::int64_t> sizes = full_.vector();
  for (std::int64_t& s : sizes)
    if (chance(35)) s = 1;
  const int drop = full_.rank() == 0 ? 0 : pick(full_.rank() + 1);
  sizes.erase(sizes.begin(), sizes.begin() + drop);
  return Shape(sizes);
}

void RandomBuilder::leaves() {
  Graph& g = *out_.graph;
  const DType dtype = chance(85) ? f32 : f64;
  const int inputs = 1 + pick(3);
  for (int i = 0; i < inputs; ++i) {
    const Shape shape = i == 0 ? full_ : part_of_full();
    std::vector<Dim> dims(shape.begin(), shape.end());
    const std::string name = "x" + std::to_string(i);
    const Value x = input(g, name, dtype, dims);
    Tensor fed(x.type());
    const Tensor drawn = draw(shape, -2, 2, state_ + static_cast<std::uint64_t>(i));
    for (std::int64_t k = 0; k < fed.count(); ++k) {
      const double v = chance(3) ? 0.0 : chance(3) ? -0.0 : drawn.data<double>()[k];
      dtype == f32 ? fed.data<float>()[k] = static_cast<float>(v) : fed.data<double>()[k] = v;
    }
    out_.feeds.emplace(name, fed);
    values_.push_back(x);
    sources_.push_back(x);
  }
  for (int i = 0; i < 2; ++i) {
    values_.push_back(new_variable({dtype, part_of_full()}));
    sources_.push_back(values_.back());
  }
  if (chance(50)) values_.push_back(constant(g, one_of(std::vector<double>{0, -0.0, 1, -1, .5, 3}), dtype));
}

Value RandomBuilder::new_variable(const Type& type) {
  const std::string name = "v" + std::to_string(out_.graph->size());
  return variable(*out_.graph, name, type, {Init::Kind::uniform, -1, 1, 7, out_.graph->next_stream()});
}

Value RandomBuilder::any() {
  return values_[values_.size() - 1 -
                 static_cast<std::size_t>(pick(std::min<int>(static_cast<int>(values_.size()), 6)))];
}

Value RandomBuilder::any_float() {
  for (int i = 0; i < 20; ++i)
    if (const Value v = any(); is_float(v.dtype())) return v;
  return values_[0];
}

bool RandomBuilder::broadcasts(const Shape& a, const Shape& b) {
  for (int i = 1; i <= std::min(a.rank(), b.rank()); ++i)
    if (a[-i] != b[-i] && a[-i] != 1 && b[-i] != 1) return false;
  return true;
}

Value RandomBuilder::mate(const Value& a) {
  for (int i = 0; i < 20; ++i) {
    const Value v = values_[static_cast<std::size_t>(pick(static_cast<int>(values_.size())))];
    if (v.dtype() == a.dtype() && broadcasts(v.shape(), a.shape()) &&
        broadcast(v.shape(), a.shape()).count() <= std::max<std::int64_t>(full_.count(), 20000))
      return v;
  }
  return a;
}

void RandomBuilder::finish() {
  Value loss;
  for (const Value& v : values_) {
    if (!is_float(v.dtype()) || v.dtype() != values_[0].dtype() || chance(55)) continue;
    const Value term = chance(50) ? sum(v * v) : mean(tanh(v));
    loss = loss ? loss + term : term;
  }
  if (!loss) loss = sum(values_.back().dtype() == values_[0].dtype() ? values_.back() : values_[0]);
  out_.fetches.push_back(loss);
  if (chance(80)) {
    const std::vector<Value> slopes = gradients(loss, sources_);
    out_.fetches.insert(out_.fetches.end(), slopes.begin(), slopes.end());
    for (std::size_t i = 0; i < sources_.size(); ++i)
      if (sources_[i].node().op().is<ops::Variable>() && chance(50))
        out_.fetches.push_back(assign(sources_[i], sources_[i] - slopes[i] * .125));
    if (chance(30) && out_.graph->size() < 300)
      for (const Value& second : gradients(sum(square(one_of(slopes))), sources_)) out_.fetches.push_back(second);
  }
  for (const Value& v : values_)
    if (chance(15)) out_.fetches.push_back(v);
  for (const Value& update : out_.graph->updates()) out_.fetches.push_back(update);
  if (chance(20)) out_.fetches.push_back(out_.fetches[0]);
}

namespace {
const DrawnOps& all_drawn() {
  static const DrawnOps all = drawn_ops([](const std::string&) { return true; });
  return all;
}
}  // namespace

RandomGraph random_graph(std::uint64_t seed) { return RandomBuilder(seed, all_drawn()).build(); }

std::vector<std::string> sampled_ops() {
  std::vector<std::string> names;
  for (const SampledOp& op : all_drawn().sampled) names.push_back(op.name);
  return names;
}

struct RandomGraphs::Ops {
  DrawnOps drawn;
};
RandomGraphs::RandomGraphs(const std::set<std::string>& ops)
    : ops_(new Ops{drawn_ops([&](const std::string& name) { return ops.contains(name); })}) {}
RandomGraphs::~RandomGraphs() = default;
RandomGraph RandomGraphs::operator()(std::uint64_t seed) const { return RandomBuilder(seed, ops_->drawn).build(); }

}  // namespace oxbow::test
