#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/optimizer.h>
#include <oxbow/optim/rate.h>

namespace oxbow::optim {
using namespace oxbow::internal;

namespace {

constexpr const char* schedule_key = "schedule";

std::string describe(const AttrValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* list = std::get_if<AttrList>(&value)) {
    std::string items;
    for (const AttrValue& item : *list) items += (items.empty() ? "" : ", ") + describe(item);
    return "[" + items + "]";
  }
  if (const auto* record = std::get_if<AttrRecord>(&value)) {
    const auto& name = value.field(schedule_key).get<std::string>("the name of a schedule");
    return optim::describe(name, AttrRecord(record->begin() + 1, record->end()));
  }
  return short_number(value.get<double>("a number"));
}

}  // namespace

void Rate::check_asked() const { check("rate", "the number"); }

Value Rate::value(Value step, std::span<const Value> state) const {
  check_asked();
  return schedule() ? schedule()->rate(step, state) : oxbow::constant(step.graph(), *constant(), f64);
}

std::vector<double> Rate::at(std::span<const std::int64_t> steps) const {
  check_asked();
  if (constant() || steps.empty()) return std::vector<double>(steps.size(), constant().value_or(0));
  const auto n = static_cast<std::int64_t>(steps.size());
  Tensor counts({f64, {n}});
  std::copy(steps.begin(), steps.end(), counts.data<double>());
  Graph g;
  const Value step = oxbow::constant(g, counts);
  const Tensor rates =
      evaluate({value(step) + 0.0 * step})[0];  // of the steps' shape, also where the rate is one number
  return {rates.data<double>(), rates.data<double>() + n};
}

double Rate::at(std::int64_t step) const { return at(std::span(&step, 1))[0]; }

std::vector<Remembered> Schedule::remembers() const { return model_->remembers(); }
std::vector<std::string> Schedule::monitors() const { return model_->monitors(); }
std::vector<Value> Schedule::observe(const Observed& o) const { return model_->observe(o); }

std::vector<Remembered> Rate::remembers() const {
  return schedule_ ? schedule_->remembers() : std::vector<Remembered>{};
}
std::vector<std::string> Rate::monitors() const {
  return schedule_ ? schedule_->monitors() : std::vector<std::string>{};
}
std::vector<Value> Rate::observe(const Observed& o) const {
  return schedule_ ? schedule_->observe(o) : std::vector<Value>{};
}

void Rate::check(std::string_view optimizer, std::string_view field) const {
  if (schedule())
    schedule()->check();
  else
    check_not_negative(optimizer, field, *constant());
}

AttrValue to_attr(const Rate& rate) {
  if (rate.constant()) return *rate.constant();
  AttrRecord record{{schedule_key, std::string(rate.schedule()->name())}};
  for (auto& field : rate.schedule()->attributes()) record.push_back(std::move(field));
  return record;
}

void from_attr(const AttrValue& a, Rate& rate) {
  const auto* record = std::get_if<AttrRecord>(&a);
  if (record == nullptr) {
    double number = 0;
    from_attr(a, number);
    rate = number;
    return;
  }
  const auto& wanted = a.field(schedule_key).get<std::string>("the name of a schedule");
  std::vector<std::string> known;
  for (const Rate& one : schedules()) {
    const Schedule& s = *one.schedule();
    if (s.name() == wanted) {
      AttrRecord fields;
      for (const auto& field : *record)
        if (field.first != schedule_key) fields.push_back(field);
      rate = s.with(fields);
      return;
    }
    known.emplace_back(s.name());
  }
  throw Error(no_such("schedule", wanted, known));
}

std::string to_string(const Rate& rate) { return describe(to_attr(rate)); }

void no_field(const std::string& who, std::string_view field, const AttrRecord& fields) {
  std::vector<std::string> known;
  for (const auto& [name, value] : fields) known.push_back(name);
  throw Error(who + " has no field " + in_quotes(field) + "." + did_you_mean(field, known) +
              " Its fields are: " + listed(known));
}

std::string describe(std::string_view name, const AttrRecord& fields) {
  std::string list;
  for (const auto& [field, value] : fields) list += (list.empty() ? "" : ", ") + field + "=" + describe(value);
  return std::string(name) + "(" + list + ")";
}

}  // namespace oxbow::optim
