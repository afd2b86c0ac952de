#include "seed_list.h"

#include <fmt/format.h>

#include <charconv>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "lpdm/error.h"

namespace lpdm {
namespace {

constexpr std::uint64_t kMostSeeds = 10'000;

[[noreturn]] void refuse_seeds(const std::string& text, const std::string& why) {
  throw UsageError(
      fmt::format("--seeds \"{}\" {}; expected seeds such as 0-19 or 0-4,7", text, why));
}

std::uint64_t parse_seed(std::string_view part, const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), seed);
  if (error != std::errc() || end != part.data() + part.size()) {
    refuse_seeds(text, fmt::format("has \"{}\" where a seed should be", part));
  }
  return seed;
}

// "3-5" → 3, 5; "3" → 3, 3
std::pair<std::uint64_t, std::uint64_t> parse_range(std::string_view part,
                                                    const std::string& text) {
  const std::size_t dash = part.find('-');
  const std::uint64_t first = parse_seed(part.substr(0, dash), text);
  if (dash == std::string_view::npos) return {first, first};
  const std::uint64_t last = parse_seed(part.substr(dash + 1), text);
  if (last < first) refuse_seeds(text, fmt::format("has the range {} that runs backwards", part));
  return {first, last};
}

}  // namespace

std::vector<std::uint64_t> parse_seeds(const std::string& text) {
  std::vector<std::uint64_t> seeds;
  std::set<std::uint64_t> seen;
  std::istringstream parts(text + ",");
  for (std::string part; std::getline(parts, part, ',');) {
    const auto [first, last] = parse_range(part, text);
    if (last - first >= kMostSeeds - seeds.size()) {
      refuse_seeds(text, fmt::format("names more than {} seeds", kMostSeeds));
    }
    for (std::uint64_t k = 0; k <= last - first; ++k) {
      if (!seen.insert(first + k).second) {
        refuse_seeds(text, fmt::format("names seed {} twice", first + k));
      }
      seeds.push_back(first + k);
    }
  }
  return seeds;
}

}  // namespace lpdm
