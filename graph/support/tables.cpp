#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/sums.h>
#include <oxbow/graph/support/tables.h>

namespace oxbow::internal {
namespace {

thread_local std::int64_t* counted = nullptr;

}  // namespace

CountTables::CountTables(std::int64_t& bytes) : outer_(counted) {
  if (counted == nullptr) counted = &bytes;
}

CountTables::~CountTables() { counted = outer_; }

void claim_table(std::int64_t entries, std::int64_t entry_bytes) {
  std::int64_t alone = 0;
  std::int64_t& sum = counted != nullptr ? *counted : alone;
  const std::int64_t all = saturating_sum(sum, saturating_product(entries, entry_bytes));
  if (all > limits::table_bytes)
    throw OpError(std::string("the tables that it makes of its shapes before it runs") +
                      (sum > 0 ? ", with those made before them," : "") + " have more than " +
                      std::to_string(limits::table_bytes) + " bytes",
                  "Use smaller sizes, pads, windows or strides, or cut the graph into several programs");
  sum = all;
}

}  // namespace oxbow::internal
