#include <oxbow/graph/op.h>
#include <oxbow/graph/support/initial_value.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/runtime/run/store_state.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_set>

namespace oxbow {
using namespace internal;

namespace {

using Kind = StoreLock::Kind;

void set_value(StoredVariable& v, const Tensor& value, LockGroup& group) {
  v.changed = ++group.sets;
  if (const auto bytes = static_cast<std::size_t>(value.type().bytes()); bytes > 0)
    std::memcpy(v.value.bytes(), value.bytes(), bytes);
}

void check_writable(const StoredVariable& v) {
  if (v.frozen)
    throw Error("variable " + in_quotes(v.name) + " is frozen and cannot be written\n  Call unfreeze(" +
                in_quotes(v.name) + ") first");
}

}  // namespace

StoreLock::StoreLock(std::shared_ptr<LockGroup>& group, Kind kind) : kind_(kind) {
  for (;;) {
    group_ = group.get();
    if (kind_ == Kind::alone)
      group_->mutex.lock();
    else
      group_->mutex.lock_shared();
    if (!group_->merged_into) return;
    std::shared_ptr<LockGroup> next = group_->merged_into;
    unlock();
    group = std::move(next);
  }
}

StoreLock::~StoreLock() { unlock(); }

void StoreLock::unlock() {
  if (kind_ == Kind::alone)
    group_->mutex.unlock();
  else
    group_->mutex.unlock_shared();
}

StoredVariable& Store::State::get(std::string_view name) const {
  if (StoredVariable* v = find(name)) return *v;
  std::vector<std::string> known;
  for (const auto& v : variables) known.push_back(v->name);
  throw Error("no variable " + in_quotes(name) + " in the store." + did_you_mean(name, known) +
              "\n  Store(graph) or Store::add(graph) creates a graph's variables");
}

TwoLocks::TwoLocks(std::shared_ptr<LockGroup>& a, std::shared_ptr<LockGroup>& b) {
  for (;;) {
    { const StoreLock find(a, StoreLock::Kind::shared); }
    { const StoreLock find(b, StoreLock::Kind::shared); }
    first_ = std::unique_lock((a < b ? a : b)->mutex);
    if (a != b) second_ = std::unique_lock((a < b ? b : a)->mutex);
    if (!a->merged_into && !b->merged_into) return;
    if (a != b) second_.unlock();
    first_.unlock();
  }
}

void Store::State::merge(State& a, State& b) {
  auto kept = a.group, lost = b.group;
  const TwoLocks locks(kept, lost);
  if (kept == lost) return;
  kept->version = std::max(kept->version, lost->version) + 1;
  kept->sets += lost->sets;
  lost->merged_into = kept;
}

void Store::State::insert(std::span<const std::shared_ptr<StoredVariable>> more) {
  variables.reserve(variables.size() + more.size());
  std::map<std::string, std::size_t, std::less<>> places;
  for (const auto& v : more) places.emplace(v->name, variables.size() + places.size());
  index.merge(places);  // from here on nothing fails
  variables.insert(variables.end(), more.begin(), more.end());
}

Store::Store() : state_(while_memory_lasts("making a store", [] { return std::make_shared<State>(); })) {}

Store::Store(const Graph& graph) : Store() { add(graph); }

void Store::add(const Graph& graph) {
  while_memory_lasts("adding variables", [&] { state_->add(graph); });
}

void Store::State::add(const Graph& graph) {
  std::vector<std::shared_ptr<StoredVariable>> fresh;
  auto merged = group;
  const StoreLock lock(merged, Kind::alone);
  for (const Value& v : oxbow::variables(graph, false)) {
    const auto& declared = *v.node().op().as<ops::Variable>();
    if (const StoredVariable* here = find(declared.name)) {
      if (here->value.dtype() != declared.type.dtype || here->value.shape() != declared.type.shape)
        throw Error("variable " + in_quotes(declared.name) + " is " + to_string(here->value.type()) +
                    " in the store, but " + to_string(declared.type) + " in the graph" +
                    at_line(v.node().origin().at, "declared at") + "\n  Give one of the two another name");
      continue;
    }
    fresh.push_back(std::make_shared<StoredVariable>(StoredVariable{declared.name, initial_value(declared)}));
  }
  insert(fresh);
  ++merged->version;
}

void Store::reset(const Graph& graph) {
  while_memory_lasts("resetting variables", [&] {
    auto group = state_->group;
    const StoreLock lock(group, Kind::alone);
    const std::vector<Value> all = oxbow::variables(graph, false);
    std::vector<std::pair<StoredVariable*, Tensor>> first;
    for (const Value& v : all) {
      const auto& declared = *v.node().op().as<ops::Variable>();
      StoredVariable& here = state_->get(declared.name);
      check_writable(here);
      first.emplace_back(&here, initial_value(declared));
    }
    for (const auto& [variable, value] : first) set_value(*variable, value, *group);  // nothing fails any more
  });
}

bool Store::contains(std::string_view name) const {
  auto group = state_->group;
  const StoreLock lock(group, Kind::shared);
  return state_->find(name) != nullptr;
}

std::vector<std::string> Store::names() const {
  return while_memory_lasts("listing variables", [&] {
    auto group = state_->group;
    const StoreLock lock(group, Kind::shared);
    std::vector<std::string> names;
    for (const auto& v : state_->variables) names.push_back(v->name);
    return names;
  });
}

Tensor Store::get(std::string_view name) const {
  return while_memory_lasts("copying a variable", [&] {
    auto group = state_->group;
    const StoreLock lock(group, Kind::shared);
    return state_->get(name).value.clone();
  });
}

void Store::set(std::string_view name, const Tensor& value) {
  while_memory_lasts("setting a variable", [&] {
    auto group = state_->group;
    const StoreLock lock(group, Kind::alone);
    StoredVariable& v = state_->get(name);
    check_writable(v);
    if (v.value.type() != value.type())
      throw Error("variable " + in_quotes(v.name) + " is " + to_string(v.value.type()) + " and cannot be set to " +
                  to_string(value.type()) + "\n  Give a tensor of the variable's own type");
    set_value(v, value, *group);
  });
}

void Store::share(std::string_view name, Store& other) {
  while_memory_lasts("sharing a variable", [&] {
    if (state_ == other.state_) return;
    State::merge(*state_, *other.state_);
    auto group = state_->group;
    const StoreLock lock(group, Kind::alone);
    StoredVariable& v = state_->get(name);
    const std::shared_ptr<StoredVariable> shared = state_->variables[state_->index.find(name)->second];
    if (StoredVariable* there = other.state_->find(name)) {
      if (there->value.type() != v.value.type())
        throw Error("variable " + in_quotes(v.name) + " cannot be shared: it is " + to_string(v.value.type()) +
                    " in one store and " + to_string(there->value.type()) + " in the other");
      other.state_->variables[other.state_->index.find(name)->second] = shared;
    } else {
      other.state_->insert({&shared, 1});
    }
    ++group->version;
  });
}

void Store::freeze(std::string_view name) {
  while_memory_lasts("freezing a variable", [&] {
    auto group = state_->group;
    const StoreLock lock(group, Kind::alone);
    state_->get(name).frozen = true;
    ++group->version;
  });
}

void Store::unfreeze(std::string_view name) {
  while_memory_lasts("unfreezing a variable", [&] {
    auto group = state_->group;
    const StoreLock lock(group, Kind::alone);
    state_->get(name).frozen = false;
    ++group->version;
  });
}

bool Store::frozen(std::string_view name) const {
  auto group = state_->group;
  const StoreLock lock(group, Kind::shared);
  return state_->get(name).frozen;
}

Store Store::snapshot() const {
  return while_memory_lasts("copying variables", [&] {
    Store copy;
    auto group = state_->group;
    const StoreLock lock(group, Kind::shared);
    std::vector<std::shared_ptr<StoredVariable>> copies;
    for (const auto& v : state_->variables)
      copies.push_back(std::make_shared<StoredVariable>(StoredVariable{v->name, v->value.clone(), v->frozen}));
    copy.state_->insert(copies);
    return copy;
  });
}

void Store::restore(const Store& snapshot) {
  while_memory_lasts("restoring variables", [&] {
    auto into = state_->group, from = snapshot.state_->group;
    const TwoLocks locks(into, from);
    for (const auto& v : snapshot.state_->variables)
      if (const StoredVariable& here = state_->get(v->name); here.value.type() != v->value.type())
        throw Error("variable " + in_quotes(v->name) + " is " + to_string(here.value.type()) +
                    " and cannot be restored from " + to_string(v->value.type()));
    for (const auto& v : snapshot.state_->variables)
      if (StoredVariable& here = *state_->find(v->name); &here != v.get()) set_value(here, v->value, *into);
  });
}

void Store::save(const std::string& path) const {
  while_memory_lasts("saving variables", [&] {
    Safetensors content;
    {
      auto group = state_->group;
      const StoreLock lock(group, Kind::shared);
      for (const auto& v : state_->variables) content.tensors.emplace_back(v->name, v->value.clone());
    }
    save_safetensors(path, content);
  });
}

void Store::load(const std::string& path) {
  while_memory_lasts("loading variables", [&] {
    const Safetensors content = load_safetensors(path);
    const auto fail = [&](const std::string& problem) {
      throw Error(path + " does not fit the store: " + problem + "\n  Nothing was changed");
    };
    auto group = state_->group;
    const StoreLock lock(group, Kind::alone);
    std::unordered_set<std::string_view> found;
    for (const auto& [name, tensor] : content.tensors) {
      const StoredVariable* v = state_->find(name);
      if (v == nullptr) {
        std::vector<std::string> known;
        for (const auto& k : state_->variables) known.push_back(k->name);
        fail("it has " + in_quotes(name) + ", which the store does not have." + did_you_mean(name, known));
      }
      if (v->value.type() != tensor.type())
        fail("variable " + in_quotes(name) + " is " + to_string(v->value.type()) + ", but " + to_string(tensor.type()) +
             " in the file");
      if (v->frozen) fail("variable " + in_quotes(name) + " is frozen");
      found.insert(name);
    }
    for (const auto& v : state_->variables)
      if (!found.contains(v->name)) fail("it lacks the variable " + in_quotes(v->name));
    for (const auto& [name, tensor] : content.tensors) set_value(*state_->find(name), tensor, *group);
  });
}

}  // namespace oxbow
