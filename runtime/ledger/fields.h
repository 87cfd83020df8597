// The fields of a plan's lines, one list for print and parse. Part of their implementation. Thread safety: pure
// functions.
#pragma once

#include <oxbow/graph/attribute.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/runtime/ledger/ledger.h>

#include <tuple>

namespace oxbow::ledger_text {

using oxbow::from_attr;
using oxbow::to_attr;

inline AttrValue to_attr(Ledger::Fate fate) { return std::string(name(fate)); }
inline void from_attr(const AttrValue& a, Ledger::Fate& fate) {
  const std::string& wanted = a.get<std::string>("a value's fate as a string");
  for (int i = 0; i <= static_cast<int>(Ledger::Fate::dropped); ++i)
    if (name(fate = static_cast<Ledger::Fate>(i)) == wanted) return;
  throw Error(in_quotes(wanted) + " is no fate of a value");
}

inline AttrValue to_attr(const std::vector<std::int32_t>& v) {
  AttrList list;
  for (const std::int32_t e : v) list.emplace_back(std::int64_t{e});
  return list;
}
inline AttrValue to_attr(const std::vector<double>& v) { return AttrList(v.begin(), v.end()); }
inline void from_attr(const AttrValue& a, std::vector<std::int32_t>& v) {
  v.clear();
  for (const AttrValue& e : a.get<AttrList>("a list of numbers")) from_attr(e, v.emplace_back());
}
inline void from_attr(const AttrValue& a, std::vector<double>& v) {
  v.clear();
  for (const AttrValue& e : a.get<AttrList>("a list of numbers")) from_attr(e, v.emplace_back());
}

using Block = Ledger::Block;
using Entry = Ledger::Value;
// A group's shares as text has them.
struct Group {
  std::int32_t first = 0, last = 0;
  std::vector<std::int32_t> waits_for = {}, lanes = {};
  std::vector<double> start_ns = {}, finish_ns = {};
};

constexpr auto fields(const Ledger*) {
  return std::tuple{Attribute{"threads", &Ledger::threads},
                    Attribute{"arena_bytes", &Ledger::arena_bytes},
                    Attribute{"lower_bound", &Ledger::lower_bound},
                    Attribute{"live_bytes", &Ledger::live_bytes},
                    Attribute{"peak_step", &Ledger::peak_step},
                    Attribute{"live", &Ledger::live},
                    Attribute{"scratch_bytes", &Ledger::scratch_bytes},
                    Attribute{"cost_ns", &Ledger::cost_ns},
                    Attribute{"critical_ns", &Ledger::critical_ns},
                    Attribute{"critical_path", &Ledger::critical_path},
                    Attribute{"run_ns", &Ledger::run_ns},
                    Attribute{"measured_critical_ns", &Ledger::measured_critical_ns},
                    Attribute{"measured_critical_path", &Ledger::measured_critical_path}};
}
constexpr auto fields(const Ledger::Step*) {
  using S = Ledger::Step;
  return std::tuple{Attribute{"group", &S::group},
                    Attribute{"parts", &S::parts},
                    Attribute{"cost_ns", &S::cost_ns},
                    Attribute{"measured_ns", &S::measured_ns},
                    Attribute{"commits", &S::commits},
                    Attribute{"critical", &S::critical},
                    Attribute{"measured_critical", &S::measured_critical}};
}
constexpr auto fields(const Group*) {
  return std::tuple{Attribute{"first", &Group::first},         Attribute{"last", &Group::last},
                    Attribute{"waits_for", &Group::waits_for}, Attribute{"lanes", &Group::lanes},
                    Attribute{"start_ns", &Group::start_ns},   Attribute{"finish_ns", &Group::finish_ns}};
}
constexpr auto fields(const Entry*) {
  return std::tuple{Attribute{"name", &Entry::name},
                    Attribute{"fate", &Entry::fate},
                    Attribute{"saved", &Entry::saved},
                    Attribute{"home", &Entry::home},
                    Attribute{"offset", &Entry::offset},
                    Attribute{"bytes", &Entry::bytes},
                    Attribute{"block", &Entry::block},
                    Attribute{"first", &Entry::first},
                    Attribute{"last", &Entry::last},
                    Attribute{"readers", &Entry::readers},
                    Attribute{"alias_of", &Entry::alias_of},
                    Attribute{"overwrites", &Entry::overwrites},
                    Attribute{"overwritten_by", &Entry::overwritten_by}};
}
constexpr auto fields(const Block*) {
  return std::tuple{Attribute{"offset", &Block::offset}, Attribute{"bytes", &Block::bytes},
                    Attribute{"first", &Block::first},   Attribute{"last", &Block::last},
                    Attribute{"kept", &Block::kept},     Attribute{"values", &Block::values}};
}
constexpr auto fields(const Ledger::Event*) {
  using E = Ledger::Event;
  return std::tuple{Attribute{"step", &E::step}, Attribute{"lane", &E::lane}, Attribute{"begin_ns", &E::begin_ns},
                    Attribute{"end_ns", &E::end_ns}};
}

}  // namespace oxbow::ledger_text
