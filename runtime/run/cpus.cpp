#include <oxbow/runtime/run/cpus.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

namespace oxbow::internal {
namespace {

namespace fs = std::filesystem;

// A cpu_set_t has room for 1024 cores; of machines with more, the kernel tells through a larger one.
int affinity() {
  std::array<cpu_set_t, 16> cores{};
  if (sched_getaffinity(0, sizeof cores, cores.data()) == 0) return CPU_COUNT_S(sizeof cores, cores.data());
  return static_cast<int>(std::thread::hardware_concurrency());
}

// The first number of a file, if there is one and it is positive: a quota of "max" or -1 means none.
std::optional<double> number(std::istream& file) {
  double n = 0;
  if (file >> n && n > 0) return n;
  return std::nullopt;
}

std::optional<double> quota_of(const fs::path& group) {
  if (std::ifstream both(group / "cpu.max"); both) {
    const auto quota = number(both), period = number(both);
    if (quota && period) return *quota / *period;
    return std::nullopt;
  }
  std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
  const auto quota = number(quota_file), period = number(period_file);
  if (quota && period) return *quota / *period;
  return std::nullopt;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& groups, const fs::path& mount) {
  std::optional<double> least;
  std::ifstream lines(groups);
  for (std::string line; std::getline(lines, line);) {  // "0::/a/b", or of version 1 "4:cpu,cpuacct:/a/b"
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
    fs::path root = mount;
    if (controllers != ",,") {
      if (controllers.find(",cpu,") == std::string::npos) continue;
      root = mount / controllers.substr(1, controllers.size() - 2);
      if (std::error_code none; !fs::exists(root, none)) root = mount / "cpu";
    }
    // Seen from inside a container the path may be one of the host's, which is not there: what is mounted is its own.
    fs::path path = fs::path(line.substr(second + 1)).relative_path().lexically_normal();
    for (;; path = path.parent_path()) {
      if (const auto q = quota_of(root / path)) least = std::min(*q, least.value_or(*q));
      if (path.empty()) break;
    }
  }
  return least;
}

int usable_cpus() {
  const int cores = affinity();
  const auto quota = cpu_quota();
  return std::max(1, quota ? static_cast<int>(std::min<double>(cores, std::ceil(*quota))) : cores);
}

}  // namespace oxbow::internal
