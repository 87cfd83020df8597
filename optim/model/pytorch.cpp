#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/optim/model/pytorch_parts.h>
#include <oxbow/optim/pytorch.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>

namespace oxbow {
using namespace internal;
using optim::internal::pytorch_parts;
using optim::internal::TorchPart;

namespace {

Tensor reshaped(const Tensor& t, const Shape& shape) {
  Tensor out({t.dtype(), shape});
  if (t.count() > 0) std::memcpy(out.bytes(), t.bytes(), static_cast<std::size_t>(t.type().bytes()));
  return out;
}

// Block number `i` of `n` along the first axis.
std::span<const std::byte> block(const Tensor& t, int i, int n) {
  const auto bytes = static_cast<std::size_t>(t.type().bytes() / n);
  return {t.bytes() + static_cast<std::size_t>(i) * bytes, bytes};
}

// Axis i of the result is axis `axes[i]` of t.
Tensor permuted(const Tensor& t, const std::vector<int>& axes) {
  const Shape& from = t.shape();
  std::vector<std::int64_t> strides(axes.size(), 1), sizes;
  for (int axis = from.rank() - 1; axis-- > 0;)
    strides[static_cast<std::size_t>(axis)] = strides[static_cast<std::size_t>(axis) + 1] * from[axis + 1];
  for (const int axis : axes) sizes.push_back(from[axis]);
  Tensor out({t.dtype(), Shape(sizes)});
  const auto width = static_cast<std::size_t>(out.count() > 0 ? t.type().bytes() / t.count() : 0);
  std::vector<std::int64_t> at(axes.size(), 0);
  for (std::int64_t i = 0; i < out.count(); ++i) {
    std::int64_t place = 0;
    for (std::size_t a = 0; a < axes.size(); ++a) place += at[a] * strides[static_cast<std::size_t>(axes[a])];
    std::memcpy(out.bytes() + static_cast<std::size_t>(i) * width, t.bytes() + static_cast<std::size_t>(place) * width,
                width);
    for (std::size_t a = axes.size(); a-- > 0 && ++at[a] == sizes[a];) at[a] = 0;
  }
  return out;
}

// Of the thirds along the last axis the first two are exchanged.
Tensor gates_exchanged(const Tensor& t) {
  Tensor out = t.clone();
  const std::int64_t row = t.shape()[-1], rows = row > 0 ? t.count() / row : 0;
  const auto third = static_cast<std::size_t>(rows > 0 ? t.type().bytes() / rows / 3 : 0);
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    std::byte* to = out.bytes() + 3 * r * third;
    const std::byte* from = t.bytes() + 3 * r * third;
    std::memcpy(to, from + third, third);
    std::memcpy(to + third, from, third);
  }
  return out;
}

// The last axis, the one before it, and the others: [height, width, in, out] as [out, in, height, width].
std::vector<int> outputs_first(int rank) {
  std::vector<int> axes{rank - 1, rank - 2};
  for (int axis = 0; axis < rank - 2; ++axis) axes.push_back(axis);
  return axes;
}
std::vector<int> outputs_last(int rank) {
  std::vector<int> axes;
  for (int axis = 2; axis < rank; ++axis) axes.push_back(axis);
  axes.insert(axes.end(), {1, 0});
  return axes;
}

// The shape of what `part` is of a variable, as it is here.
Shape shape_of_part(const TorchPart& part, const Shape& variable) {
  return part.row < 0 ? variable : Shape(std::span(variable.begin() + 1, variable.end()));
}

// A variable's part as PyTorch has it.
Tensor to_pytorch(const TorchPart& part, const Tensor& variable) {
  Tensor t({variable.dtype(), shape_of_part(part, variable.shape())});
  const auto from = block(variable, std::max(part.row, 0), part.row < 0 ? 1 : static_cast<int>(variable.shape()[0]));
  if (part.term == 1)
    std::memset(t.bytes(), 0, from.size());
  else
    std::memcpy(t.bytes(), from.data(), from.size());
  if (part.gates) t = gates_exchanged(t);
  const Shape& s = t.shape();
  switch (part.form) {
    case TorchPart::Form::same:
      return t;
    case TorchPart::Form::kernel:
      return permuted(t, outputs_first(s.rank()));
    case TorchPart::Form::depthwise:
      return reshaped(permuted(t, {2, 3, 0, 1}), {s[2] * s[3], 1, s[0], s[1]});
  }
  return t;
}

// The other way: what `theirs`, the whole tensor of the file, is of `variable`.
void from_pytorch(const TorchPart& part, const Tensor& theirs, Tensor& variable) {
  Tensor t({theirs.dtype(), theirs.shape().with(0, theirs.shape()[0] / part.parts)});
  const auto from = block(theirs, part.part, part.parts);
  std::memcpy(t.bytes(), from.data(), from.size());
  const Shape ours = shape_of_part(part, variable.shape());
  if (part.form == TorchPart::Form::kernel)
    t = permuted(t, outputs_last(ours.rank()));
  else if (part.form == TorchPart::Form::depthwise)
    t = permuted(reshaped(t, {ours[2], ours[3], ours[0], ours[1]}), {2, 3, 0, 1});
  if (part.gates) t = gates_exchanged(t);
  std::byte* to = variable.bytes() + std::max(part.row, 0) * t.type().bytes();
  if (part.term != 1) {
    std::memcpy(to, t.bytes(), static_cast<std::size_t>(t.type().bytes()));
    return;
  }
  dispatch(t.dtype(), [&]<class T>(std::type_identity<T>) {
    if constexpr (std::is_floating_point_v<T>)
      for (std::int64_t i = 0; i < t.count(); ++i) reinterpret_cast<T*>(to)[i] += t.data<T>()[i];
    else
      throw Error(part.key + " is to be added to another bias, but is " + std::string(name(t.dtype())) + ". Give f32 or f64");
  });
}

Type type_in_file(const TorchPart& part, const Tensor& variable) {
  const Shape shape = to_pytorch(part, variable).shape();
  return {variable.dtype(), shape.with(0, shape[0] * part.parts)};
}

bool is_ignored(const std::string& key, const PyTorchNames& names) {
  return key.ends_with("num_batches_tracked") ||
         std::any_of(names.ignored.begin(), names.ignored.end(),
                     [&](const std::string& module) { return key.starts_with(module + "."); });
}

}  // namespace

void load_pytorch(const std::string& path, const Layer& net, Store& store, const PyTorchNames& names) {
  while_memory_lasts("loading PyTorch's parameters", [&] {
    const std::vector<TorchPart> parts = pytorch_parts("load_pytorch", net, names.modules);
    const Safetensors file = load_safetensors(path);
    std::map<std::string, const Tensor*> tensors;
    std::vector<std::string> keys;
    for (const auto& [key, tensor] : file.tensors) {
      tensors.emplace(key, &tensor);
      keys.push_back(key);
    }
    std::map<std::string, Tensor> variables;
    std::set<std::string> wanted;
    for (const TorchPart& part : parts) {
      const auto found = tensors.find(part.key);
      wanted.insert(part.key);
      if (found == tensors.end())
        throw Error(
            path + " lacks the tensor " + in_quotes(part.key) + ", which the variable " + in_quotes(part.variable) +
            " is read from." + did_you_mean(part.key, keys) +
            "\n  Name the layer as its module is called, or say what that is: {.modules = {{\"dense\", \"fc\"}}}");
      Tensor& variable = variables.try_emplace(part.variable, store.get(part.variable)).first->second;
      if (const Type type = type_in_file(part, variable); found->second->type() != type)
        throw Error(path + ": the tensor " + in_quotes(part.key) + " is " + to_string(found->second->type()) +
                    ", but for the variable " + in_quotes(part.variable) + ", " + to_string(variable.type()) +
                    ", it has to be " + to_string(type));
      from_pytorch(part, *found->second, variable);
    }
    for (const std::string& key : keys)
      if (!wanted.contains(key) && !is_ignored(key, names))
        throw Error(path + " has the tensor " + in_quotes(key) + ", which no layer takes." +
                    did_you_mean(key, std::vector(wanted.begin(), wanted.end())) +
                    "\n  Say which modules are to be left out, if it is: {.ignored = {\"head\"}}");
    for (const auto& [name, value] : variables)
      if (store.frozen(name)) store.set(name, value);  // throws, before anything is changed
    for (const auto& [name, value] : variables) store.set(name, value);
  });
}

void save_pytorch(const std::string& path, const Layer& net, const Store& store, const PyTorchNames& names) {
  while_memory_lasts("saving PyTorch's parameters", [&] {
    Safetensors file;
    file.metadata["format"] = "pt";
    for (const TorchPart& part : pytorch_parts("save_pytorch", net, names.modules)) {
      const Tensor variable = store.get(part.variable), t = to_pytorch(part, variable);
      if (part.part == 0) file.tensors.emplace_back(part.key, Tensor(type_in_file(part, variable)));
      const auto whole = std::find_if(file.tensors.begin(), file.tensors.end(),
                                      [&](const auto& tensor) { return tensor.first == part.key; });
      const auto bytes = static_cast<std::size_t>(t.type().bytes());
      std::memcpy(whole->second.bytes() + static_cast<std::size_t>(part.part) * bytes, t.bytes(), bytes);
    }
    save_safetensors(path, file);
  });
}

}  // namespace oxbow
