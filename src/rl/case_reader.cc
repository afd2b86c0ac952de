#include "rl/case_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "lpdm/error.h"

namespace lpdm {

CaseReader::CaseReader(const Json& fields, std::string where)
    : fields_(fields), where_(std::move(where)) {
  if (!fields.is_object()) fail("it must be an object");
}

void CaseReader::fail(const std::string& what) const {
  throw UsageError(fmt::format("{}: {}", where_, what));
}

void CaseReader::fail_missing(const char* key) const {
  fail(fmt::format("field '{}' is missing", key));
}

void CaseReader::fail_type(const char* key) const {
  fail(fmt::format("field '{}' has the wrong type or a number beyond its range", key));
}

void CaseReader::fail_size(const char* key, std::size_t size, std::int64_t expected) const {
  fail(fmt::format("field '{}' has {} elements, expected {}", key, size, expected));
}

std::int64_t CaseReader::positive(const char* key) const {
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  const auto value = get<std::int64_t>(key);
  if (value < 1 || value > kMost) {
    fail(fmt::format("field '{}' is {}, expected 1 to {}", key, value, kMost));
  }
  return value;
}

std::optional<std::vector<std::int64_t>> CaseReader::landmarks(std::int64_t rows) const {
  if (!has("landmark_rows")) return std::nullopt;
  auto selected = get<std::vector<std::int64_t>>("landmark_rows");
  if (selected.empty()) fail("landmark_rows is empty; leave it out for all pairs");
  std::ranges::sort(selected);
  const bool distinct = std::ranges::adjacent_find(selected) == selected.end();
  if (!distinct || selected.front() < 0 || selected.back() >= rows) {
    fail(fmt::format("landmark_rows must be distinct rows from 0 to {}", rows - 1));
  }
  const PairSelection pairs = loss_config().hidden.loss.pairs;
  if (pairs.sparse != SparsePairs::kNone) {
    fail("landmark_rows and sparse pairs exclude each other; leave one of them out");
  }
  if (pairs.low_rank > 0) {
    fail("landmark_rows and pairs lowrank:R exclude each other; leave one of them out");
  }
  return selected;
}

std::optional<std::vector<std::int64_t>> CaseReader::episode_ends(std::int64_t rows) const {
  if (!has("episode_ends")) return std::nullopt;
  auto ends = get<std::vector<std::int64_t>>("episode_ends");
  const bool ascending = std::ranges::adjacent_find(ends, std::greater_equal()) == ends.end();
  if (ends.empty() || !ascending || ends.front() < 1 || ends.back() != rows) {
    fail(fmt::format("episode_ends must ascend from at least 1 to {}, the number of rows", rows));
  }
  return ends;
}

Config CaseReader::loss_config() const {
  Json hidden = Json::object();
  for (const char* key : {"guided", "metric", "scale", "norm", "max_gradient", "guide_base",
                          "pairs", "target", "error_rule", "block"}) {
    if (has(key)) hidden[key] = fields_[key];
  }
  try {
    return parse_config(Json{{"hidden", hidden}}.dump());
  } catch (const UsageError& error) {
    fail(error.what());
  }
}

}  // namespace lpdm
