// From a graph to something that runs: `compile` specialises, rewrites and plans; a `Program` is the immutable result,
// and a `Session` (runtime/session.cpp) is one run state of it.
//
//   Program step = compile({loss, updated_w, updated_b});
//   Store store(g);
//   Session session(step, store);
//   session.feed("x", images);             // a span, read in place
//   session.run();
//   float l = session.fetch<float>(0)[0];
//
// Thread safety: Programs and Stores may be shared by any number of threads; a Session serves one thread at a time.
#pragma once

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/mode.h>
#include <oxbow/runtime/numerics.h>
#include <oxbow/runtime/pool.h>
#include <oxbow/runtime/store.h>
#include <oxbow/runtime/trace.h>

#include <map>
#include <optional>
#include <stop_token>

namespace oxbow {

struct CompileOptions {
  Mode mode = Mode::training;
  Pool pool = Pool::shared();             ///< where nodes run
  std::vector<std::string> disable = {};  ///< passes of `rewrite` to leave out: `oxbow dump --help` lists them
  Numerics numerics = {};                 ///< whether runs look for NaN and Inf: see runtime/numerics.h
  /// For so many sets of input shapes, those used last, plans are kept ready by the program, and what a run takes by
  /// each session. Whoever meets more of them in turn (batch sizes of a server, lengths of texts) plans anew at each
  /// change. At least 1.
  int cached_shapes = 32;
  /// The most bytes that the values of a run may take: the arena, `arena_bytes` of dumps and ledgers, for any shapes.
  /// Not counted are variables, what is fed, constants, and the kernels' scratch memory, `scratch_bytes` a thread.
  /// Where the usual plan takes more, values are made anew for those who read them late, and threads keep to the serial
  /// order: more time for fewer bytes, and the same bits. A larger budget never takes more work. `compile` (for other
  /// shapes the run) throws `Error` where no such plan is found, naming what has to be alive at once. Empty: no limit.
  std::optional<std::int64_t> memory_budget = {};
};

class Program {
 public:
  /// What is fed, in the graph's order.
  const std::vector<ops::Input>& inputs() const;
  /// What is fetched: its type at the example sizes.
  const std::vector<Type>& outputs() const;
  /// Its names: the graph's own (see Graph::add_output), or "0", "1", ... by position.
  const std::vector<std::string>& output_names() const;
  /// Runs once, with tensors by input name, and returns all fetched values. Allocates; see Session for the quick way.
  std::vector<Tensor> run(Store& store, const std::map<std::string, Tensor>& feeds) const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  friend class Session;
  std::shared_ptr<const Impl> impl_;
};

/// Compiles what computes `fetches` (a loss with an optimizer gives a Model instead: optim/model.h), one value or
/// several: any values of one graph, intermediates and `assign`s included. The graph may be appended to or destroyed
/// afterwards. Throws `Error` when `fetches` is empty or mixes graphs.
Program compile(Values fetches, CompileOptions options = {});

/// A run ended because its `std::stop_token` asked for it; variables are as before the run.
class Stopped : public Error {
 public:
  Stopped();
};

class Session {
 public:
  Session(Program program, Store store);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// The bytes to read in place at the next runs; they must outlive those. The shape is the input's, its free axis
  /// (if it has one) following from the size. Throws `Error` for an unknown input, another dtype, or a size that fits
  /// no shape.
  template <Element T>
  void feed(std::string_view input, std::span<const T> data) {
    feed(input, dtype_of<T>, data.data(), static_cast<std::int64_t>(data.size()));
  }
  /// `feed("x", numbers)`, of a vector, an array or a span. Not of a temporary vector, which would end before the run.
  template <class R>
  requires ElementRange<R> &&
      (std::is_lvalue_reference_v<R> || std::ranges::borrowed_range<R>)void feed(std::string_view input, R&& data) {
    feed(input, std::span<const std::ranges::range_value_t<R>>(data));
  }
  template <Element T>
  void feed(std::string_view input, std::vector<T>&& data) = delete;
  /// The same with the shape given; needed where an input has several free axes.
  void feed(std::string_view input, const Type& type, const void* data);
  /// The same, and the session keeps the tensor. One that is moved in and shares its bytes with none is handed over:
  /// nobody may write it again, so that a program that checks its numbers has no need to copy it.
  void feed(std::string_view input, Tensor tensor);

  /// Where to write the i-th fetched value at the next runs, in place of memory of the session's own.
  template <Element T>
  void fetch_into(int i, std::span<T> to) {
    fetch_into(i, dtype_of<T>, to.data(), static_cast<std::int64_t>(to.size()));
  }

  /// One run. Throws `Error` for an input that was not fed or an op that fails on its data, and `Stopped` when `stop`
  /// was requested; variables are then as before. A program that checks its numbers throws `NumericsError`. A warm run,
  /// with the shapes of an earlier one, allocates nothing.
  void run(std::stop_token stop = {});
  /// The same, and `trace` tells afterwards what ran when, and where.
  void run(Trace& trace, std::stop_token stop = {});

  /// Looks at all variables that the runs so far wrote, and throws `NumericsError` if a NaN or Inf is there. For the
  /// end of a training whose program checks its numbers; any other program has nothing to look at.
  void check_numerics();

  /// The i-th fetched value of the last run, until the next. What an `assign` wrote is the variable itself: it stays as
  /// it is only until anyone writes that.
  template <Element T>
  std::span<const T> fetch(int i) const {
    return {static_cast<const T*>(fetched(i, dtype_of<T>)), static_cast<std::size_t>(fetch_type(i).count())};
  }
  Type fetch_type(int i) const;
  Tensor fetch_tensor(int i) const;  ///< a copy

 private:
  void feed(std::string_view input, DType dtype, const void* data, std::int64_t count);
  void fetch_into(int i, DType dtype, void* to, std::int64_t count);
  const void* fetched(int i, DType dtype) const;
  void check_fetch(int i) const;
  void check_fetch(int i, DType dtype) const;
  void run(std::stop_token stop, Trace* trace);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace oxbow
