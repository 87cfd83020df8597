#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/loader.h>
#include <oxbow/optim/model/state.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace oxbow::optim::internal {
namespace {

// "f32[any, 784]"
std::string describe(const ops::Input& input) {
  std::string sizes;
  for (int axis = 0; axis < input.type.shape.rank(); ++axis)
    sizes += (axis == 0 ? "" : ", ") + (input.is_free(axis) ? "any" : std::to_string(input.type.shape[axis]));
  return std::string(name(input.type.dtype)) + "[" + sizes + "]";
}

// `first`: 1 where the column's first axis is the data's samples.
bool fits(const ops::Input& input, const Type& column, int first) {
  const Shape& shape = input.type.shape;
  if (column.dtype != input.type.dtype || column.shape.rank() != shape.rank()) return false;
  for (int axis = first; axis < shape.rank(); ++axis)
    if (!input.is_free(axis) && column.shape[axis] != shape[axis]) return false;
  return true;
}

}  // namespace

Runner::Runner(std::string doing, Program program, const Store& store, const Graph& graph)
    : doing_(std::move(doing)), program_(program), session_(std::move(program), store), graph_(&graph) {
  for (const ops::Input& input : program_.inputs()) columns_.push_back(input.name);
}

void Runner::check(const Dataset& data, std::int64_t batch_size) const {
  if (batch_size < 1) throw Error(doing_ + ": the batch size is " + std::to_string(batch_size) + ". Give at least 1");
  for (const ops::Input& input : program_.inputs()) {
    const auto fail = [&](const std::string& problem, const std::string& remedy) {
      const auto node = graph_->find(input.name);
      throw Error(doing_ + ": " + problem + (node ? at_line(node->origin().at) : "") + "\n  " + remedy);
    };
    const std::string quoted_name = oxbow::internal::in_quotes(input.name);
    const std::string what = "input " + quoted_name + ", " + describe(input);
    const std::string share = "data.add_shared(" + quoted_name + ", tensor) gives every batch the same";
    const bool has_samples = input.type.shape.rank() > 0;
    if (!data.contains(input.name))
      fail("the data have no column for " + what, !has_samples ? share
                                                  : data.columns().empty()
                                                      ? "Give a tensor of that name"
                                                      : "Their columns are " + oxbow::internal::quoted(data.names()));
    const Type column = data.type(input.name);
    const bool shared = data.is_shared(input.name);
    if (!fits(input, column, shared ? 0 : 1))
      fail("column " + quoted_name + " is " + to_string(column) + ", but does not fit " + what,
           has_samples ? "Convert or reshape the column first" : share);
    if (shared) continue;
    if (const std::int64_t fixed = input.type.shape[0];
        !input.is_free(0) && (batch_size != fixed || data.size() % fixed != 0))
      fail("batches of " + std::to_string(batch_size) + " out of " + std::to_string(data.size()) +
               " samples do not fit " + what,
           "Declare the first axis free, any(" + std::to_string(fixed) + "), or give it whole batches of " +
               std::to_string(fixed) + ". Where that axis is not the samples, " + share);
  }
  if (data.size() == 0) throw Error(doing_ + ": the data have no samples");
}

void Runner::feed(const Batch& batch) {
  for (std::size_t i = 0; i < columns_.size(); ++i) session_.feed(columns_[i], batch.type(i), batch.bytes(i));
}

void Runner::feed(const Dataset& data, std::int64_t begin, std::int64_t end) {
  for (const std::string& name : columns_) {
    const Tensor& column = data[name];
    if (data.is_shared(name)) {
      session_.feed(name, column.type(), column.bytes());
      continue;
    }
    const std::int64_t row_bytes = column.type().bytes() / data.size();
    session_.feed(name, Type{column.dtype(), column.shape().with(0, end - begin)}, column.bytes() + begin * row_bytes);
  }
}

void Runner::over(const Dataset& data, std::int64_t batch_size,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& f) {
  check(data, batch_size);
  const bool made = std::any_of(data.made().begin(), data.made().end(), [&](const auto& column) {
    return std::find(columns_.begin(), columns_.end(), column.first) != columns_.end();
  });
  std::optional<Loader> loader;
  if (made) loader.emplace(data, columns_, LoaderOptions{.batch_size = batch_size, .shuffle = false});
  if (made) loader->start(0);
  for (std::int64_t begin = 0; begin < data.size(); begin += batch_size) {
    const std::int64_t end = std::min(begin + batch_size, data.size());
    if (made)
      feed(*loader->next());
    else
      feed(data, begin, end);
    run();
    f(begin, end);
  }
}

Tensor Runner::predict(const Dataset& data, std::int64_t batch_size) {
  Tensor all;
  std::int64_t row_bytes = 0;
  over(data, batch_size, [&](std::int64_t begin, std::int64_t end) {
    const Tensor part = session().fetch_tensor(0);
    if (part.shape().rank() == 0 || part.shape()[0] != end - begin)
      throw Error("predict: predictions are " + to_string(part.type()) + " for " + std::to_string(end - begin) +
                  " samples. Their first axis must be the samples");
    if (begin == 0) {
      all = Tensor(Type{part.dtype(), part.shape().with(0, data.size())});
      row_bytes = part.type().bytes() / (end - begin);
    }
    if (part.count() > 0)
      std::memcpy(all.bytes() + begin * row_bytes, part.bytes(), static_cast<std::size_t>(part.type().bytes()));
  });
  return all;
}

double Runner::number(int i) const {
  return dispatch(session_.fetch_type(i).dtype,
                  [&]<class T>(std::type_identity<T>) { return static_cast<double>(session_.fetch<T>(i)[0]); });
}

void Means::add(const Runner& runner, std::int64_t samples) {
  for (std::size_t i = 0; i < sums_.size(); ++i)
    sums_[i] += runner.number(static_cast<int>(i)) * static_cast<double>(samples);
  samples_ += samples;
}

}  // namespace oxbow::optim::internal
