// The fields of a plan's lines, one list for print and parse. Part of their implementation. Thread safety: pure
// functions.
#pragma once

#include <oxbow/graph/attribute.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/runtime/ledger.h>

#include <tuple>

namespace oxbow::internal::ledger_text {

using oxbow::from_attr;
using oxbow::to_attr;

inline AttrValue to_attr(Ledger::Fate fate) { return std::string(name(fate)); }
inline void from_attr(const AttrValue& a, Ledger::Fate& fate) {
  const std::string& wanted = a.get<std::string>("a value's fate as a string");
  for (int i = 0; i <= static_cast<int>(Ledger::Fate::dropped); ++i)
    if (name(fate = static_cast<Ledger::Fate>(i)) == wanted) return;
  throw Error(in_quotes(wanted) + " is not a fate of a value");
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

template <class C, class M>
struct Field {
  std::string_view name;
  M C::*member;
};
template <std::size_t N, class C, class M>
Field(const char (&)[N], M C::*) -> Field<C, M>;

using Block = Ledger::Block;
using Entry = Ledger::Value;
// A group's shares as text has them.
struct Group {
  std::int32_t first = 0, last = 0;
  std::vector<std::int32_t> waits_for = {}, lanes = {};
  std::vector<double> start_ns = {}, finish_ns = {};
};

constexpr auto fields(const Ledger*) {
  return std::tuple{Field{"threads", &Ledger::threads},
                    Field{"arena_bytes", &Ledger::arena_bytes},
                    Field{"lower_bound", &Ledger::lower_bound},
                    Field{"live_bytes", &Ledger::live_bytes},
                    Field{"peak_step", &Ledger::peak_step},
                    Field{"live", &Ledger::live},
                    Field{"scratch_bytes", &Ledger::scratch_bytes},
                    Field{"cost_ns", &Ledger::cost_ns},
                    Field{"critical_ns", &Ledger::critical_ns},
                    Field{"critical_path", &Ledger::critical_path},
                    Field{"run_ns", &Ledger::run_ns},
                    Field{"measured_critical_ns", &Ledger::measured_critical_ns},
                    Field{"measured_critical_path", &Ledger::measured_critical_path}};
}
constexpr auto fields(const Ledger::Step*) {
  using S = Ledger::Step;
  return std::tuple{Field{"group", &S::group},
                    Field{"parts", &S::parts},
                    Field{"cost_ns", &S::cost_ns},
                    Field{"measured_ns", &S::measured_ns},
                    Field{"commits", &S::commits},
                    Field{"critical", &S::critical},
                    Field{"measured_critical", &S::measured_critical}};
}
constexpr auto fields(const Group*) {
  return std::tuple{Field{"first", &Group::first},         Field{"last", &Group::last},
                    Field{"waits_for", &Group::waits_for}, Field{"lanes", &Group::lanes},
                    Field{"start_ns", &Group::start_ns},   Field{"finish_ns", &Group::finish_ns}};
}
constexpr auto fields(const Entry*) {
  return std::tuple{Field{"name", &Entry::name},
                    Field{"fate", &Entry::fate},
                    Field{"saved", &Entry::saved},
                    Field{"home", &Entry::home},
                    Field{"offset", &Entry::offset},
                    Field{"bytes", &Entry::bytes},
                    Field{"block", &Entry::block},
                    Field{"first", &Entry::first},
                    Field{"last", &Entry::last},
                    Field{"readers", &Entry::readers},
                    Field{"alias_of", &Entry::alias_of},
                    Field{"overwrites", &Entry::overwrites},
                    Field{"overwritten_by", &Entry::overwritten_by}};
}
constexpr auto fields(const Block*) {
  return std::tuple{Field{"offset", &Block::offset}, Field{"bytes", &Block::bytes}, Field{"first", &Block::first},
                    Field{"last", &Block::last},     Field{"kept", &Block::kept},   Field{"values", &Block::values}};
}
constexpr auto fields(const Ledger::Event*) {
  using E = Ledger::Event;
  return std::tuple{Field{"step", &E::step}, Field{"lane", &E::lane}, Field{"begin_ns", &E::begin_ns},
                    Field{"end_ns", &E::end_ns}};
}

}  // namespace oxbow::internal::ledger_text
