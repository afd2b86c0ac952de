// The options of one environment: Gymnasium's defaults with the user's values laid over them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lpdm/environment.h"

namespace lpdm {

struct Range {
  double low = 0.0;
  double high = 0.0;
};

// Short forms for the tables of options in the environments' files.
EnvironmentOption number_option(std::string name, double value);
EnvironmentOption count_option(std::string name, std::int64_t value);
EnvironmentOption flag_option(std::string name, bool value);
EnvironmentOption range_option(std::string name, Range value);

class OptionValues {
 public:
  // Throws UsageError naming environment `id` for an unknown option or a value that does not fit.
  OptionValues(const std::string& id, std::vector<EnvironmentOption> known,
               const EnvironmentOptions& given);

  // `name` must be one of the known options.
  double number(const std::string& name) const;
  std::int64_t count(const std::string& name) const;
  bool flag(const std::string& name) const;
  Range range(const std::string& name) const;

 private:
  const std::vector<double>& value(const std::string& name) const;

  std::vector<EnvironmentOption> values_;
};

}  // namespace lpdm
