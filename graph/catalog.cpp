#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>

namespace oxbow {

Catalog Catalog::leaves() {
  Catalog c;
  c.add<ops::Input>({.formula = "what is fed at each run"})
      .add<ops::Constant>({.formula = "a fixed tensor"})
      .add<ops::Variable>({.formula = "what a Store keeps from run to run"})
      .add<ops::Assign>({.formula = "value, which the variable holds from the end of the run on"});
  return c;
}

Catalog& Catalog::add(const Op& op, Made made, std::string_view formula, const std::vector<Tensor>& example,
                      Op (*make)(const AttrRecord&, const Catalog&)) {
  entries_.insert_or_assign(std::string(op.name()), Entry{&op.info(), made, std::string(formula), op, example, make});
  return *this;
}

Catalog& Catalog::renamed(std::string old, std::string now) {
  old_names_.insert_or_assign(std::move(old), std::move(now));
  return *this;
}

const Catalog::Entry* Catalog::find(std::string_view name) const {
  if (const auto old = old_names_.find(name); old != old_names_.end()) name = old->second;
  const auto place = entries_.find(name);
  return place == entries_.end() ? nullptr : &place->second;
}

}  // namespace oxbow
