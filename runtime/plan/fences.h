// Edges that keep threads near the serial order. A plan holds under every schedule, also under those that no executor
// would choose: without such edges, a task that nothing waits for (a weight's gradient and its update) may run as late
// as the end, and what it reads shares no bytes with anything that is written later. Thread safety: pure functions.
#pragma once

#include <oxbow/runtime/plan/tasks.h>

namespace oxbow::internal {

/// Cuts the serial order into stretches of equal cost, `shortest` nanoseconds or more, each with a fence: the group in
/// it with the longest way to an end. A fence waits for all groups that lie at least a whole stretch before its own,
/// and what lies at least a whole stretch behind waits for it. Returns the edges that this takes beside `edges`. A
/// stretch is work for all threads, so few of them ever hold one up; none are returned where the longest way would grow
/// by what might be felt. Takes time linear in groups and edges.
std::vector<CompressedRows::Entry> fences(std::span<const Tasks::Group> groups,
                                          std::span<const CompressedRows::Entry> edges, int threads, double shortest);

/// The longest way from the start of each group to an end, in estimated nanoseconds.
std::vector<double> upward_ranks(std::span<const Tasks::Group> groups, const CompressedRows& next);

}  // namespace oxbow::internal
