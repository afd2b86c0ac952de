// The table of environments behind make_environment.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/nearest_name.h"
#include "env/environment_entry.h"
#include "env/mjcf_environment.h"
#include "lpdm/environment.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

std::vector<EnvironmentEntry> make_entries() {
  std::vector<EnvironmentEntry> all;
  for (const auto& entries_of :
       {acrobot_entries, ant_entries, cartpole_entries, half_cheetah_entries, hopper_entries,
        inverted_pendulum_entries, pusher_entries, walker2d_entries}) {
    std::ranges::move(entries_of(), std::back_inserter(all));
  }
  std::ranges::sort(all, {}, &EnvironmentEntry::id);
  return all;
}

const std::vector<EnvironmentEntry>& entries() {
  static const std::vector<EnvironmentEntry> all = make_entries();
  return all;
}

bool is_mjcf(const std::string& id) {
  return id == kMjcf || (id.starts_with(kMjcf) && id[kMjcf.size()] == ':');
}

const EnvironmentEntry& find_entry(const std::string& id) {
  const auto entry = std::ranges::find(entries(), id, &EnvironmentEntry::id);
  if (entry == entries().end()) {
    throw UsageError(
        fmt::format("there is no environment {}: did you mean {}? (`lpdm envs` lists all of them)",
                    id, nearest_name(id, environment_ids())));
  }
  return *entry;
}

}  // namespace

std::vector<std::string> environment_ids() {
  std::vector<std::string> ids;
  for (const EnvironmentEntry& entry : entries()) ids.push_back(entry.id);
  return ids;
}

std::string mjcf_definition(const std::string& id) {
  return is_mjcf(id) && id != kMjcf ? id.substr(kMjcf.size() + 1) : "";
}

std::vector<EnvironmentOption> environment_options(const std::string& id) {
  if (is_mjcf(id)) return {};
  return find_entry(id).options;
}

EnvironmentOptions default_options(const std::string& id) {
  EnvironmentOptions defaults;
  for (const EnvironmentOption& option : environment_options(id)) {
    defaults[option.name] = option.value;
  }
  return defaults;
}

std::unique_ptr<Environment> make_environment(const std::string& id,
                                              const EnvironmentOptions& options) {
  if (is_mjcf(id)) {
    const OptionValues none(id, {}, options);  // refuses all of them
    return make_mjcf_environment(mjcf_definition(id), id);
  }
  const EnvironmentEntry& entry = find_entry(id);
  return entry.make(OptionValues(id, entry.options, options));
}

}  // namespace lpdm
