// What a memory plan says, and when it forbids a run.
#include <fmt/format.h>

#include <algorithm>

#include "lpdm/error.h"
#include "lpdm/memory_plan.h"

namespace lpdm {

std::int64_t MemoryPlan::total() const {
  std::int64_t sum = 0;
  for (const MemoryPart& part : parts) sum += part.bytes;
  return sum;
}

std::int64_t MemoryPlan::in_backend() const {
  std::int64_t sum = 0;
  for (const MemoryPart& part : parts) sum += part.in_backend ? part.bytes : 0;
  return sum;
}

std::string MemoryPlan::text() const {
  std::string list;
  for (const MemoryPart& part : parts) {
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", part.name, bytes_text(part.bytes));
  }
  return fmt::format("at most {} for updates of up to {} rows ({})", bytes_text(total()), rows,
                     list);
}

const MemoryPart& MemoryPlan::largest() const {
  return *std::ranges::max_element(parts, {}, &MemoryPart::bytes);
}

void require_memory(const MemoryPlan& plan, std::int64_t available) {
  if (plan.total() <= available) return;
  const MemoryPart& largest = plan.largest();
  throw UsageError(fmt::format(
      "the run may need {} of memory, {} of it for {} with updates of up to {} rows, but only {} "
      "are available; {}",
      bytes_text(plan.total()), bytes_text(largest.bytes), largest.name, plan.rows,
      bytes_text(available), plan.remedy));
}

std::string bytes_text(std::int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  return value < 1e9 ? fmt::format("{:.1f} MB", value / 1e6)
                     : fmt::format("{:.1f} GB", value / 1e9);
}

}  // namespace lpdm
