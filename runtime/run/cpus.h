// How many threads a process can keep busy. Thread safety: pure functions of files.
#pragma once

#include <filesystem>
#include <optional>

namespace oxbow::internal {

/// The cores that the calling thread may run on, but no more than the CPU quota, rounded up. At least 1.
int usable_cpus();

/// How many cores' time the control groups of a process grant it, by version 2 or 1; empty where nothing is limited.
/// `groups` is its /proc/self/cgroup, `mount` where control groups are mounted: the limits of all groups from its own
/// up to the root count, as far as they can be seen.
std::optional<double> cpu_quota(const std::filesystem::path& groups = "/proc/self/cgroup",
                                const std::filesystem::path& mount = "/sys/fs/cgroup");

}  // namespace oxbow::internal
