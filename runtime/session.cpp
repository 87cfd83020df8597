#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/graph/support/sums.h>
#include <oxbow/runtime/numerics/guard.h>
#include <oxbow/runtime/run/executor.h>
#include <oxbow/runtime/run/program_impl.h>
#include <oxbow/runtime/run/store_state.h>

#include <algorithm>
#include <cstring>

namespace oxbow {
using namespace internal;

struct Session::State {
  /// What one plan needs; one for each set of shapes that was run.
  struct Run {
    Run(std::vector<Shape> for_shapes, std::shared_ptr<const Plan> plan, const Pool& pool)
        : shapes(std::move(for_shapes)), frame(std::move(plan)), executor(frame, pool) {}
    std::vector<Shape> shapes;
    Frame frame;
    Executor executor;
    std::uint64_t store_version = 0;  ///< at which the variables' bytes were looked up
    std::vector<int> places = {};     ///< of each feed, its number among the plan's inputs; -1 where no byte is read
  };
  struct Target {
    void* bytes = nullptr;
    DType dtype = f32;
    std::int64_t count = 0;
  };

  State(Program p, Store s)
      : program(std::move(p)),
        store(std::move(s)),
        lock(store.state()->group),
        feeds(program.inputs().size()),
        targets(program.outputs().size()) {
    if (impl().options.numerics.check != CheckNumerics::off)
      guard = std::make_unique<NumericsGuard>(program.impl_, store.state());
  }

  Program program;
  Store store;
  std::shared_ptr<LockGroup> lock;
  std::vector<Fed> feeds;
  std::vector<Target> targets;
  std::vector<std::unique_ptr<Run>> runs;  ///< the last used at the end
  Run* current = nullptr;
  bool reshaped = true;  ///< a shape was fed that `current` may not be for
  bool has_run = false;
  std::shared_ptr<std::byte> arena;
  std::int64_t arena_bytes = 0;
  std::unique_ptr<NumericsGuard> guard;  ///< null where the program checks no numbers
  NumericsGuard::Repeat repeat = [this](std::span<const Fed> fed) -> const Frame& { return run_again(fed); };

  const Program::Impl& impl() const { return program.impl(); }

  void feed(std::string_view name, const Type& type, Fed now) {
    const auto i = static_cast<std::size_t>(impl().input(name));
    const ops::Input& in = impl().inputs[i];
    const auto at = [&] { return at_line(impl().declared[i], "declared at"); };  // a warm feed allocates nothing
    if (type.dtype != in.type.dtype)
      throw Error("input " + in_quotes(in.name) + " takes " + std::string(oxbow::name(in.type.dtype)) +
                  " and was fed " + std::string(oxbow::name(type.dtype)) + at() +
                  "\n  Convert the data, or declare the input with that dtype");
    if (!in.accepts(type.shape) || !type.layout.plain())
      throw Error("input " + in_quotes(in.name) + " has the shape " + declared_shape(in) + " and was fed " +
                  to_string(type.shape) + at() + "\n  Feed that shape; only an axis marked any(...) takes other sizes");
    if (!feeds[i].fed || feeds[i].shape != now.shape) reshaped = true;
    feeds[i] = std::move(now);
  }

  void check_fed() const {
    for (std::size_t i = 0; i < feeds.size(); ++i)
      if (!feeds[i].fed)
        throw Error("input " + in_quotes(impl().inputs[i].name) + " (" + to_string(impl().inputs[i].type) +
                    ") was not fed" + at_line(impl().declared[i], "declared at") + "\n  Call feed(" +
                    in_quotes(impl().inputs[i].name) + ", data) before run()");
  }

  /// What has run with feeds of these shapes, or null.
  Run* known(std::span<const Fed> fed) {
    const auto found = std::find_if(runs.begin(), runs.end(), [&](const auto& r) {
      return std::equal(fed.begin(), fed.end(), r->shapes.begin(), r->shapes.end(),
                        [](const Fed& f, const Shape& s) { return f.shape == s; });
    });
    if (found == runs.end()) return nullptr;
    std::rotate(found, found + 1, runs.end());
    return runs.back().get();
  }

  // The run state for what is fed now. Where that cannot be made, the next run tries again.
  void choose() {
    check_fed();
    current = nullptr;
    current = prepared(feeds);
    reshaped = false;
  }

  Run* prepared(std::span<const Fed> fed) {
    if (Run* r = known(fed)) return r;
    std::vector<Shape> shapes;
    for (const Fed& f : fed) shapes.push_back(f.shape);
    auto plan = impl().plan(shapes);
    const std::int64_t bytes = saturating_sum(
        plan->arena_bytes, saturating_product(plan->scratch_bytes, impl().options.pool.threads()));
    if (bytes > arena_bytes) {
      arena = allocate(bytes);
      arena_bytes = bytes;
    }
    std::vector<int> places(fed.size(), -1);
    for (std::size_t k = 0; k < plan->inputs.size(); ++k) {
      const Node node = plan->graph->node(plan->inputs[k].node);
      places[static_cast<std::size_t>(impl().input(node.op().as<ops::Input>()->name))] = static_cast<int>(k);
    }
    auto run = std::make_unique<Run>(std::move(shapes), std::move(plan), impl().options.pool);
    run->places = std::move(places);
    if (runs.size() >= static_cast<std::size_t>(impl().options.cached_shapes))
      if (const auto oldest = std::find_if(runs.begin(), runs.end(), [&](const auto& r) { return r.get() != current; });
          oldest != runs.end())
        runs.erase(oldest);
    runs.push_back(std::move(run));
    return runs.back().get();
  }

  // Looks the plan's variables up. The caller holds the store's lock.
  void bind_variables(Run& r) {
    const Plan& plan = r.frame.plan();
    for (std::size_t i = 0; i < plan.variables.size(); ++i) {
      const Node node = plan.graph->node(plan.variables[i].node);
      const auto& declared = *node.op().as<ops::Variable>();
      StoredVariable& v = store.state()->get(declared.name);
      if (v.value.type() != declared.type)
        throw Error("variable " + in_quotes(declared.name) + " is " + to_string(v.value.type()) +
                    " in the store, but " + to_string(declared.type) + " in the program" +
                    at_line(node.origin().at, "declared at"));
      if (plan.variables[i].written && v.frozen)
        throw Error("variable " + in_quotes(declared.name) + " is frozen, and this program writes it" +
                    at_line(node.origin().at, "declared at") + "\n  Call unfreeze(" + in_quotes(declared.name) +
                    "), or leave its assign out of what is fetched");
      r.frame.set_variable(static_cast<int>(i), v.value.bytes());
    }
    r.store_version = lock->version;
  }

  // Tells the frame where everything is that is the user's.
  void bind() {
    Frame& frame = current->frame;
    frame.set_arena(arena.get());
    for (std::size_t i = 0; i < feeds.size(); ++i)
      if (current->places[i] >= 0) frame.set_input(current->places[i], feeds[i].bytes);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const Target& t = targets[i];
      const Type& type = frame.plan().fetches[i].type;
      if (t.bytes && t.count != type.stored())
        throw Error("fetch_into(" + std::to_string(i) + "): the span has " + std::to_string(t.count) +
                    " elements, but the value is " + to_string(type) + " in this run\n  Give a span of " +
                    std::to_string(type.stored()) + ", or an empty one for memory of the session's own");
      frame.set_fetch(static_cast<int>(i), t.bytes);
    }
  }

  void finish(Frame& frame) {
    const Plan& plan = frame.plan();
    for (std::size_t i = 0; i < targets.size(); ++i)
      if (const Plan::Fetch& f = plan.fetches[i];
          targets[i].bytes && f.variable >= 0 && f.type.bytes() > 0 && f.type.stored() == targets[i].count)
        std::memcpy(targets[i].bytes, frame.fetched(static_cast<int>(i)), static_cast<std::size_t>(f.type.bytes()));
  }

  /// A run of earlier feeds once more, variables being as they were then; for the guard. The lock is held.
  const Frame& run_again(std::span<const Fed> fed) {
    Run& r = *prepared(fed);
    r.frame.set_arena(arena.get());
    if (r.store_version != lock->version) bind_variables(r);
    for (std::size_t i = 0; i < fed.size(); ++i)
      if (r.places[i] >= 0) r.frame.set_input(r.places[i], fed[i].bytes);
    for (std::size_t i = 0; i < targets.size(); ++i)
      r.frame.set_fetch(static_cast<int>(i),
                        r.frame.plan().fetches[i].type.count() == targets[i].count ? targets[i].bytes : nullptr);
    r.executor.run(arena.get() + r.frame.plan().arena_bytes, {});
    finish(r.frame);
    return r.frame;
  }
};

Stopped::Stopped() : Error("the run was stopped before its end, as requested; no variable was written") {}

Session::Session(Program program, Store store)
    : state_(while_memory_lasts("making a session",
                                [&] { return std::make_unique<State>(std::move(program), std::move(store)); })) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

void Session::feed(std::string_view name, const Type& type, const void* data) {
  while_memory_lasts("feeding", [&] { state_->feed(name, type, {.shape = type.shape, .bytes = data, .fed = true}); });
}

void Session::feed(std::string_view name, Tensor tensor) {
  while_memory_lasts("feeding", [&] {
    const bool handed_over = tensor.sole();
    const std::byte* bytes = tensor.bytes();
    const Type type = tensor.type();
    state_->feed(name, type, {type.shape, bytes, true, std::move(tensor), handed_over});
  });
}

void Session::feed(std::string_view name, DType dtype, const void* data, std::int64_t count) {
  while_memory_lasts("feeding", [&] {
    const auto i = static_cast<std::size_t>(state_->impl().input(name));
    const ops::Input& in = state_->impl().inputs[i];
    Shape shape = in.type.shape;
    if (in.free_axes.size() == 1 && count != shape.count()) {
      const int axis = static_cast<int>(in.free_axes[0]);
      const std::int64_t others = shape.with(axis, 1).count();
      if (others > 0) shape = shape.with(axis, count / others);
    }
    if (shape.count() != count)
      throw Error(
          "input " + in_quotes(in.name) + ": " + std::to_string(count) + " elements do not fill " + declared_shape(in) +
          at_line(state_->impl().declared[i], "declared at") +
          (in.free_axes.size() > 1 ? "\n  It has several free axes: feed a Tensor, or bytes with their Type"
           : in.free_axes.size() == 1
               ? "\n  Feed a multiple of " + std::to_string(shape.with(static_cast<int>(in.free_axes[0]), 1).count())
               : "\n  Feed " + std::to_string(shape.count())));
    feed(name, {dtype, shape}, data);
  });
}

void Session::fetch_into(int i, DType dtype, void* to, std::int64_t count) {
  check_fetch(i, dtype);
  state_->targets[static_cast<std::size_t>(i)] = {to, dtype, count};
}

void Session::run(std::stop_token stop) {
  while_memory_lasts("running", [&] { run(std::move(stop), nullptr); });
}
void Session::run(Trace& trace, std::stop_token stop) {
  while_memory_lasts("running", [&] { run(std::move(stop), &trace); });
}

void Session::run(std::stop_token stop, Trace* trace) {
  State& s = *state_;
  s.has_run = false;
  if (s.reshaped) s.choose();
  s.bind();
  const Plan& plan = s.current->frame.plan();
  const StoreLock lock(s.lock, plan.writes_variables ? StoreLock::Kind::alone : StoreLock::Kind::shared);
  if (s.current->store_version != s.lock->version) s.bind_variables(*s.current);
  if (s.guard) s.guard->before(s.feeds, plan, *s.lock);
  try {
    if (trace) trace->start(s.current->frame.shared_plan(), s.impl().options.pool.threads());
    if (s.current->executor.run(s.arena.get() + plan.arena_bytes, stop, trace) == Executor::Outcome::stopped)
      throw Stopped();
  } catch (...) {
    if (s.guard) s.guard->failed();
    throw;
  }
  s.finish(s.current->frame);
  if (plan.writes_variables) ++s.lock->runs;
  if (trace) trace->stop();
  if (s.guard) s.guard->after(s.feeds, s.current->frame, *s.lock, s.repeat);
  s.has_run = true;
}

void Session::check_numerics() {
  while_memory_lasts("looking for NaN and Inf", [&] {
    if (!state_->guard) return;
    const StoreLock lock(state_->lock, StoreLock::Kind::alone);
    state_->guard->look(*state_->lock, state_->repeat);
  });
}

void Session::check_fetch(int i) const {
  const auto& outputs = state_->impl().outputs;
  if (i < 0 || static_cast<std::size_t>(i) >= outputs.size())
    throw Error("fetch " + std::to_string(i) + ": the program fetches " + std::to_string(outputs.size()) + " values" +
                "\n  They are numbered from 0, in the order in which compile() was given them");
}

void Session::check_fetch(int i, DType dtype) const {
  check_fetch(i);
  const auto& outputs = state_->impl().outputs;
  const DType is = outputs[static_cast<std::size_t>(i)].dtype;
  if (is != dtype)
    throw Error("fetch " + std::to_string(i) + " (" +
                in_quotes(state_->impl().output_names[static_cast<std::size_t>(i)]) + ") is " + std::string(name(is)) +
                ", not " + std::string(name(dtype)) + "\n  Fetch it in its own dtype, or compile a cast of it");
}

const void* Session::fetched(int i, DType dtype) const {
  check_fetch(i, dtype);
  if (!state_->has_run)
    throw Error("fetch " + std::to_string(i) + ": there is no finished run to fetch from\n  Call run() first");
  return state_->current->frame.fetched(i);
}

Type Session::fetch_type(int i) const {
  check_fetch(i);
  const Type& example = state_->program.outputs()[static_cast<std::size_t>(i)];
  return state_->has_run ? state_->current->frame.plan().fetches[static_cast<std::size_t>(i)].type : example;
}

Tensor Session::fetch_tensor(int i) const {
  return while_memory_lasts("copying a result", [&] {
    const Type type = fetch_type(i);
    const void* from = fetched(i, type.dtype);
    Tensor copy(type);
    if (const auto bytes = static_cast<std::size_t>(type.bytes()); bytes > 0) std::memcpy(copy.bytes(), from, bytes);
    return copy;
  });
}

}  // namespace oxbow
