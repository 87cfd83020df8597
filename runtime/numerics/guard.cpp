#include <oxbow/graph/passes/specialise.h>
#include <oxbow/runtime/numerics/finite.h>
#include <oxbow/runtime/numerics/guard.h>
#include <oxbow/runtime/numerics/hunt.h>

#include <algorithm>
#include <cstring>

namespace oxbow::internal {
namespace {

constexpr double usual_journal = 64, longest_journal = 512;        // runs
constexpr std::int64_t most_feed_bytes = std::int64_t{256} << 20;  // that a journal may hold
constexpr double look_bytes_per_ns = 8;     // so fast variables are looked at, where they come from memory
constexpr double share_of_looking = 0.005;  // of a run's estimated time; copying them costs twice as much, at most

bool ok(const Type& type, const std::byte* bytes, bool may_be_infinite) {
  return may_be_infinite ? no_nan(type, bytes) : all_finite(type, bytes);
}

void copy_bytes(Tensor& to, const Tensor& from) {
  if (const auto bytes = static_cast<std::size_t>(from.type().bytes()); bytes > 0)
    std::memcpy(to.bytes(), from.bytes(), bytes);
}

// Bytes that stay where they are, as a tensor.
Tensor borrowed(const Type& type, const void* bytes) {
  return {type, std::shared_ptr<std::byte>(std::shared_ptr<void>(), static_cast<std::byte*>(const_cast<void*>(bytes)))};
}

}  // namespace

NumericsGuard::NumericsGuard(std::shared_ptr<const Program::Impl> program, std::shared_ptr<Store::State> store)
    : program_(std::move(program)),
      store_(std::move(store)),
      may_be_infinite_(program_->outputs.size()),
      fed_(program_->inputs) {}

void NumericsGuard::before(std::span<const Fed> feeds, const Plan& plan, const LockGroup& lock) {
  writes_ = plan.writes_variables;
  const bool all = program_->options.numerics.check == CheckNumerics::all;
  if (all) search(feeds, runs_ + 1, true);
  if (all || !writes_) return;
  const bool others_wrote = expected_runs_ != lock.runs || expected_version_ != lock.version;
  if (fed_.runs() > 0 && others_wrote) crowded_ = true;
  if (capacity_ == 0 || full() || others_wrote) begin(plan, lock);
  record(feeds, lock);
}

// A new journal. The variables are as the last look found them, or others have written them since.
void NumericsGuard::begin(const Plan& plan, const LockGroup& lock) {
  if (expected_version_ != lock.version) kept_.clear();
  const bool first = kept_.empty();
  std::int64_t written_bytes = 0;
  if (first)
    for (const Plan::Leaf& leaf : plan.variables) {
      const auto& declared = *plan.graph->node(leaf.node).op().as<ops::Variable>();
      const auto& variable = store_->variables[store_->index.find(declared.name)->second];
      kept_.push_back({.variable = variable, .written = leaf.written, .value = variable->value.clone()});
    }
  for (Kept& k : kept_) {
    if (k.written) written_bytes += k.value.type().bytes();
    if (!first && (k.written || k.variable->changed > k.taken_at)) copy_bytes(k.value, k.variable->value);
    k.taken_at = lock.sets;
  }
  const double looks = static_cast<double>(written_bytes) / look_bytes_per_ns / (share_of_looking * (plan.cost + 1));
  capacity_ = static_cast<std::size_t>(std::clamp(looks, usual_journal, longest_journal));
  look_every_ = crowded_ ? 1 : static_cast<std::size_t>(std::clamp(looks, 1.0, static_cast<double>(capacity_)));
  empty_journal();
  expected_sets_ = lock.sets;
}

bool NumericsGuard::full() const { return fed_.runs() == capacity_ || fed_.fills(most_feed_bytes); }

void NumericsGuard::empty_journal() {
  fed_.clear();
  sets_.clear();
  looked_ = 0;
}

void NumericsGuard::record(std::span<const Fed> feeds, const LockGroup& lock) {
  if (lock.sets != expected_sets_)
    for (std::size_t k = 0; k < kept_.size(); ++k)
      if (kept_[k].variable->changed > expected_sets_)
        sets_.push_back({fed_.runs(), k, kept_[k].variable->value.clone()});
  fed_.add(feeds);
}

void NumericsGuard::failed() {
  if (fed_.runs() == 0) return;
  fed_.drop_last();
  std::erase_if(sets_, [&](const Set& s) { return s.before_run == fed_.runs(); });
}

bool NumericsGuard::results_ok(const Frame& frame) {
  const auto& fetches = frame.plan().fetches;
  if (results_.empty())  // the same for all plans
    for (std::size_t i = 0; i < fetches.size(); ++i)
      if (fetches[i].variable < 0) results_.push_back(static_cast<int>(i));
  return std::all_of(results_.begin(), results_.end(), [&](int i) {
    const auto place = static_cast<std::size_t>(i);
    return ok(fetches[place].type, frame.fetched(i), may_be_infinite_[place]);
  });
}

bool NumericsGuard::kept_ok(const Kept& k) const {
  return !k.written || ok(k.value.type(), k.variable->value.bytes(), k.may_be_infinite);
}

void NumericsGuard::after(std::span<const Fed> feeds, const Frame& frame, const LockGroup& lock, const Repeat& repeat) {
  ++runs_;
  if (program_->options.numerics.check == CheckNumerics::all) return;
  if (!writes_) {
    if (!results_ok(frame)) search(feeds, runs_, false);
    return;
  }
  expected_runs_ = lock.runs;
  expected_sets_ = lock.sets;
  expected_version_ = lock.version;
  const bool due = fed_.runs() - looked_ >= look_every_ || full();
  if (!results_ok(frame))
    take_back(repeat);
  else if (due)
    look(lock, repeat);
}

// A value that was set since the last run is not a run's; nor does the journal explain what other sessions wrote.
void NumericsGuard::look(const LockGroup& lock, const Repeat& repeat) {
  if (looked_ == fed_.runs() || expected_runs_ != lock.runs || expected_version_ != lock.version) return;
  const auto in_order = [&](const Kept& k) { return k.variable->changed > expected_sets_ || kept_ok(k); };
  if (!std::all_of(kept_.begin(), kept_.end(), in_order)) take_back(repeat);
  looked_ = fed_.runs();
}

// What the hunt needs of one run: its graph for these shapes, with the names that the user knows, and its leaves.
class NumericsGuard::Again {
 public:
  Again(const NumericsGuard& guard, std::span<const Fed> feeds, std::int64_t run)
      : guard_(guard), feeds_(feeds), run_(run) {
    const Rewritten& declared = guard.program_->graph;
    std::map<std::string, Shape> shapes;
    for (std::size_t i = 0; i < feeds.size(); ++i) shapes[guard.program_->inputs[i].name] = feeds[i].shape;
    std::vector<Value> results;
    for (const auto& [name, value] : declared.graph->outputs()) results.push_back(value);
    const Rewritten sized = specialise(*declared.graph, results, shapes, guard.program_->options.mode);
    graph_ = sized.graph;
    number_.resize(static_cast<std::size_t>(graph_->size()), -1);
    for (std::size_t id = 0; id < declared.first.size(); ++id)
      if (const Value v = declared.values[static_cast<std::size_t>(declared.first[id])])
        if (const Value now = sized(v)) number_[static_cast<std::size_t>(now.node_id())] = static_cast<NodeId>(id);
  }
  Rerun rerun() const {
    return {.graph = graph_.get(),
            .leaf = [this](Node n) { return leaf(n); },
            .name = [this](NodeId id) { return name(id); },
            .number = run_};
  }
  const Graph& graph() const { return *graph_; }

 private:
  Tensor leaf(Node n) const {
    if (const auto* in = n.op().as<ops::Input>())
      return borrowed(in->type, feeds_[static_cast<std::size_t>(guard_.program_->input(in->name))].bytes);
    const Tensor& value = guard_.store_->get(n.op().as<ops::Variable>()->name).value;
    return borrowed(value.type(), value.bytes());
  }
  // An unnamed node bears the number that it has in the user's graph.
  std::string name(NodeId id) const {
    const Node n = graph_->node(id);
    const NodeId own = number_[static_cast<std::size_t>(id)];
    if (!n.name().empty() || own < 0) return n.full_name();
    return n.origin().scoped(std::string(n.op().name()) + "_" + std::to_string(own));
  }

  const NumericsGuard& guard_;
  std::span<const Fed> feeds_;
  std::int64_t run_;
  std::shared_ptr<Graph> graph_;
  std::vector<NodeId> number_;  // of each node, in the user's graph
};

// Throws where a run of the journal went wrong, after which a new one begins.
void NumericsGuard::take_back(const Repeat& repeat) {
  try {
    retrace(repeat);
  } catch (...) {
    empty_journal();
    throw;
  }
}

// Goes through the journal again, each run's results and variables being looked at, until one is bad. Where none is,
// every infinity being meant, the journal ends here.
void NumericsGuard::retrace(const Repeat& repeat) {
  const auto restore = [&] {
    for (Kept& k : kept_) copy_bytes(k.variable->value, k.value);
  };
  std::vector<Tensor> now;
  for (const Kept& k : kept_) now.push_back(k.variable->value.clone());
  const std::int64_t before = runs_ - static_cast<std::int64_t>(fed_.runs());
  bool recurred = false;
  std::vector<Tensor> previous;  // the variables before the last run that was repeated
  restore();
  for (std::size_t i = 0; i < fed_.runs(); ++i) {
    const std::vector<Fed> feeds = fed_.feeds(i);
    for (const Set& s : sets_)
      if (s.before_run == i) copy_bytes(kept_[s.kept].variable->value, s.value);
    if (i > 0) {
      previous.clear();
      for (const Kept& k : kept_) previous.push_back(k.value.clone());
    }
    for (Kept& k : kept_) copy_bytes(k.value, k.variable->value);
    if (results_ok(repeat(feeds)) && std::all_of(kept_.begin(), kept_.end(), [&](const Kept& k) { return kept_ok(k); }))
      continue;
    recurred = true;
    std::vector<bool> usual;
    if (i > 0) {
      const std::vector<Fed> previous_feeds = fed_.feeds(i - 1);
      for (std::size_t k = 0; k < kept_.size(); ++k) copy_bytes(kept_[k].variable->value, previous[k]);
      usual = makers(Again(*this, previous_feeds, 0).rerun());
    }
    restore();
    const std::int64_t run = before + static_cast<std::int64_t>(i) + 1;
    const std::int64_t runs = std::exchange(runs_, run - 1);
    search(feeds, run, false, usual);  // throws, but where every infinity is meant
    runs_ = runs;
    repeat(feeds);
  }
  for (std::size_t k = 0; k < kept_.size(); ++k) {
    copy_bytes(kept_[k].value, kept_[k].variable->value);
    if (!recurred || kept_[k].variable->changed > expected_sets_) copy_bytes(kept_[k].variable->value, now[k]);
  }
  invariant(recurred, "a NaN or Inf did not come up again when its run was repeated");
  empty_journal();
}

void NumericsGuard::search(std::span<const Fed> feeds, std::int64_t run, bool everywhere,
                           const std::vector<bool>& usual) {
  const Again again(*this, feeds, run);
  Hunted hunted = hunt(again.rerun(), program_->options.numerics, everywhere, usual);
  if (hunted.found) throw std::move(*hunted.found);
  if (everywhere) return;
  invariant(hunted.bad, "a NaN or Inf did not come up again when its run was repeated node by node");
  for (std::size_t i = 0; i < hunted.results.size(); ++i) {
    if (!hunted.results[i]) continue;
    may_be_infinite_[i] = true;
    const Node n = again.graph().outputs()[i].second.node();
    if (!n.op().is<ops::Assign>()) continue;
    for (Kept& k : kept_)
      if (k.variable->name == n.input(0).node().op().as<ops::Variable>()->name) k.may_be_infinite = true;
  }
}

}  // namespace oxbow::internal
