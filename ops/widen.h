// How ops compute in dtypes that their kernels lack (see graph/dtype.h): such an op has
//
//   std::vector<Value> widen(Values in) const { return widened(*this, in); }
//
// and its `infer` accepts what `check_dtype` does. Safe from any thread, each with a graph of its own.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow {

/// `op` on inputs in their compute types, its outputs cast to what they are for `in`: rounded to f16 and bf16, wrapped
/// around for small integers. Inputs of `info.any_dtype` stay as they are.
std::vector<Value> widened(const Op& op, Values in);

/// Throws `OpError` with all accepted dtypes unless kernels for the types of a list serve `t`. `input` is its name.
template <class Types>
void check_dtype(Types list, const Type& t, std::string_view input) {
  if (dtypes::serve(list, t.dtype)) return;
  const std::string accepted = dtypes::served_by(list), who(input);
  throw OpError(who + " is " + to_string(t) + ", but must be one of: " + accepted,
                "Cast it: cast(" + who + ", " + accepted.substr(0, accepted.find(',')) + ")");
}

/// The same for what lowering makes, which is never widened itself.
template <class Types>
void check_computed(const Type& t, std::string_view input) {
  if (is_narrow(t.dtype))
    throw OpError(std::string(input) + " is " + to_string(t) + ", which a lowered op does not compute in",
                  "Cast it to " + std::string(name(compute_type(t.dtype))));
  check_dtype(Types{}, t, input);
}

}  // namespace oxbow
