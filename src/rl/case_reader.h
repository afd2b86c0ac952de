// One case of a loss-case file: typed fields, with errors that name the file and the case.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "io/json_text.h"
#include "lpdm/config.h"

namespace lpdm {

// Borrows the JSON object. Every failure is a UsageError that begins with `where`.
class CaseReader {
 public:
  CaseReader(const Json& fields, std::string where);

  [[noreturn]] void fail(const std::string& what) const;

  bool has(const char* key) const { return fields_.contains(key) && !fields_[key].is_null(); }

  template <class T>
  T get(const char* key) const {
    if (!has(key)) fail_missing(key);
    if constexpr (std::is_same_v<T, std::int64_t>) {
      if (!fields_[key].is_number_integer()) fail_type(key);
    }
    try {
      return fields_[key].get<T>();
    } catch (const Json::exception&) {
      fail_type(key);
    }
  }

  // A vector that must have `size` elements; numbers must be finite in T.
  template <class T>
  std::vector<T> array(const char* key, std::int64_t size) const {
    auto values = get<std::vector<T>>(key);
    if (static_cast<std::int64_t>(values.size()) != size) fail_size(key, values.size(), size);
    if constexpr (std::is_floating_point_v<T>) {
      for (const T value : values) {
        if (!std::isfinite(value)) fail_type(key);
      }
    }
    return values;
  }

  // A size: at least 1, and small enough for products of two.
  std::int64_t positive(const char* key) const;

  // landmark_rows in ascending order, if given: distinct rows below `rows`.
  std::optional<std::vector<std::int64_t>> landmarks(std::int64_t rows) const;

  // episode_ends, one past each episode's last row, if given: ascending, the last one `rows`.
  std::optional<std::vector<std::int64_t>> episode_ends(std::int64_t rows) const;

  // The loss options as a config would read them.
  Config loss_config() const;

  const Json& fields() const { return fields_; }
  const std::string& where() const { return where_; }

 private:
  [[noreturn]] void fail_missing(const char* key) const;
  [[noreturn]] void fail_type(const char* key) const;
  [[noreturn]] void fail_size(const char* key, std::size_t size, std::int64_t expected) const;

  const Json& fields_;
  std::string where_;
};

}  // namespace lpdm
