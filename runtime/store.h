// A Store holds variables' values under their names, apart from any Program: reading programs share it, a writing one
// holds it alone for the length of a run (one lock a run, none a node). A Store is a handle; copies share the values.
// Thread safety: every member function takes the lock, so it waits for a run that writes.
#pragma once

#include <oxbow/graph/leaves.h>

#include <memory>
#include <string>
#include <vector>

namespace oxbow {

class Store {
 public:
  Store();
  /// All variables of `graph`, each at its first value (see `Init`).
  explicit Store(const Graph& graph);

  /// Adds the graph's variables that are not here yet. Throws `Error` when one is here with another type.
  void add(const Graph& graph);
  /// Sets every variable of `graph` back to its first value.
  void reset(const Graph& graph);

  bool contains(std::string_view name) const;
  std::vector<std::string> names() const;  ///< in the order in which they were added

  /// A copy of a variable's value, row-major. Throws `Error` with near names for an unknown one.
  Tensor get(std::string_view name) const;
  /// Copies `value` in. Throws `Error` for an unknown name, another type, or a frozen variable.
  void set(std::string_view name, const Tensor& value);
  /// The same for a variable of any graph, by the name that it has in stores: `model.store().get(encode.kernel())`.
  /// Throws `Error` too for a value that is not a variable.
  Tensor get(Value variable) const { return get(variable_of(variable).name); }
  void set(Value variable, const Tensor& value) { set(variable_of(variable).name, value); }

  /// Makes `name` here and in `other` one variable: what one writes, the other reads.
  void share(std::string_view name, Store& other);
  /// From now on a `set` or a program that writes this variable is an `Error`.
  void freeze(std::string_view name);
  void unfreeze(std::string_view name);
  bool frozen(std::string_view name) const;

  /// A deep copy, and back: the same variables with these values. For early stopping and what-if runs. Restoring holds
  /// both stores alone and allocates nothing, so it cannot fail for want of memory; it throws `Error`, changing
  /// nothing, where a variable of the snapshot is not here or has another type.
  Store snapshot() const;
  void restore(const Store& snapshot);

  /// All variables to a safetensors file, atomically: see runtime/safetensors.h.
  void save(const std::string& path) const;
  /// Reads them back. Throws `Error`, changing nothing, where the file lacks a variable, has one that is not here or is
  /// of another type, or where a variable is frozen.
  void load(const std::string& path);

  struct State;
  const std::shared_ptr<State>& state() const { return state_; }  ///< for the executor

 private:
  std::shared_ptr<State> state_;
};

}  // namespace oxbow
