#include "env/quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/nearest_name.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

// A run of rows or of numbers.
struct Run {
  std::size_t first = 0;
  std::size_t count = 0;
};

// One array of mjData: how many rows, how wide, and which objects of the model own them.
struct QuantityArray {
  const char* name;
  mjtNum* mjData::*member;
  std::int64_t (*rows)(const mjModel&);
  std::size_t width;
  mjtObj owner;
  Run (*rows_of)(const mjModel&, int object);
};

Run own_row(const mjModel&, int object) { return {static_cast<std::size_t>(object), 1}; }

Run positions_of_joint(const mjModel& model, int joint) {
  const int type = model.jnt_type[joint];
  const std::size_t count = type == mjJNT_FREE ? 7 : type == mjJNT_BALL ? 4 : 1;
  return {static_cast<std::size_t>(model.jnt_qposadr[joint]), count};
}

Run velocities_of_joint(const mjModel& model, int joint) {
  const int type = model.jnt_type[joint];
  const std::size_t count = type == mjJNT_FREE ? 6 : type == mjJNT_BALL ? 3 : 1;
  return {static_cast<std::size_t>(model.jnt_dofadr[joint]), count};
}

Run numbers_of_sensor(const mjModel& model, int sensor) {
  return {static_cast<std::size_t>(model.sensor_adr[sensor]),
          static_cast<std::size_t>(model.sensor_dim[sensor])};
}

std::int64_t positions(const mjModel& model) { return model.nq; }
std::int64_t velocities(const mjModel& model) { return model.nv; }
std::int64_t actuators(const mjModel& model) { return model.nu; }
std::int64_t sensor_numbers(const mjModel& model) { return model.nsensordata; }
std::int64_t bodies(const mjModel& model) { return model.nbody; }
std::int64_t sites(const mjModel& model) { return model.nsite; }
std::int64_t geoms(const mjModel& model) { return model.ngeom; }

constexpr std::array<QuantityArray, 12> kArrays = {{
    {"qpos", &mjData::qpos, positions, 1, mjOBJ_JOINT, positions_of_joint},
    {"qvel", &mjData::qvel, velocities, 1, mjOBJ_JOINT, velocities_of_joint},
    {"qacc", &mjData::qacc, velocities, 1, mjOBJ_JOINT, velocities_of_joint},
    {"ctrl", &mjData::ctrl, actuators, 1, mjOBJ_ACTUATOR, own_row},
    {"actuator_force", &mjData::actuator_force, actuators, 1, mjOBJ_ACTUATOR, own_row},
    {"sensordata", &mjData::sensordata, sensor_numbers, 1, mjOBJ_SENSOR, numbers_of_sensor},
    {"xpos", &mjData::xpos, bodies, 3, mjOBJ_BODY, own_row},
    {"xquat", &mjData::xquat, bodies, 4, mjOBJ_BODY, own_row},
    {"cvel", &mjData::cvel, bodies, 6, mjOBJ_BODY, own_row},
    {"cfrc_ext", &mjData::cfrc_ext, bodies, 6, mjOBJ_BODY, own_row},
    {"site_xpos", &mjData::site_xpos, sites, 3, mjOBJ_SITE, own_row},
    {"geom_xpos", &mjData::geom_xpos, geoms, 3, mjOBJ_GEOM, own_row},
}};

// "name[first][second]" cut into its parts.
struct QuantityText {
  std::string name;
  std::vector<std::string> selections;  // at most two, without their brackets
};

std::optional<QuantityText> split(const std::string& text) {
  const std::size_t open = text.find('[');
  QuantityText parts{text.substr(0, open), {}};
  std::size_t at = std::min(open, text.size());
  while (at < text.size()) {
    const std::size_t close = text.find(']', at);
    if (text[at] != '[' || close == std::string::npos || close == at + 1) return std::nullopt;
    parts.selections.push_back(text.substr(at + 1, close - at - 1));
    at = close + 1;
  }
  if (parts.selections.size() > 2) return std::nullopt;
  return parts;
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
}

// All digits; what does not fit is larger than any array.
std::size_t parse_index(std::string_view digits) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return error == std::errc() ? index : std::string::npos;
}

bool is_slice(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view low = text.substr(0, colon);
  const std::string_view high = text.substr(colon + 1);
  return (low.empty() || is_number(low)) && (high.empty() || is_number(high));
}

class QuantityReader {
 public:
  QuantityReader(const JsonField& field, const mjModel& model)
      : field_(field), model_(model), text_(read_text(field)) {}

  Quantity read() const {
    const auto parts = split(text_);
    if (!parts) refuse("expected a quantity such as \"qpos[1:]\" or \"xpos[torso][0]\"");
    const QuantityArray& array = find_array(parts->name);
    const auto rows = static_cast<std::size_t>(array.rows(model_));
    Run run = {0, rows};
    bool is_object = false;
    if (!parts->selections.empty()) {
      const std::string& selection = parts->selections.front();
      is_object = !is_number(selection) && !is_slice(selection);
      run = is_object ? rows_of_object(array, selection) : select(selection, rows, array.name);
    }
    run = {run.first * array.width, run.count * array.width};
    if (parts->selections.size() == 2) {
      if (!is_object && run.count != array.width) {
        refuse("a second selection needs a single row or an object's name before it");
      }
      const Run part = select(parts->selections.back(), run.count, "what comes before it");
      run = {run.first + part.first, part.count};
    }
    if (run.count == 0) refuse("it selects no numbers of this model");
    return {array.member, run.first, run.count};
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw UsageError(fmt::format("{} is \"{}\": {}", field_.path, text_, why));
  }

  const QuantityArray& find_array(const std::string& name) const {
    const auto found =
        std::ranges::find_if(kArrays, [&](const auto& array) { return name == array.name; });
    if (found != kArrays.end()) return *found;
    std::vector<std::string> names;
    for (const QuantityArray& array : kArrays) names.emplace_back(array.name);
    refuse(fmt::format("there is no quantity {}, did you mean \"{}\"?", name,
                       nearest_name(name, names)));
  }

  // One entry or a slice of `size` entries.
  Run select(const std::string& selection, std::size_t size, const std::string& of) const {
    const std::size_t colon = selection.find(':');
    std::size_t first = 0;
    std::size_t end = size;
    if (colon == std::string::npos) {
      if (!is_number(selection)) refuse("a second selection must be an entry or a slice");
      first = parse_index(selection);
      if (first >= size) refuse(range_of(size, of));
      return {first, 1};
    }
    if (!is_slice(selection)) refuse("a slice must be of the form [first:end]");
    if (colon > 0) first = parse_index(std::string_view(selection).substr(0, colon));
    if (colon + 1 < selection.size())
      end = parse_index(std::string_view(selection).substr(colon + 1));
    if (first >= end || end > size) refuse(range_of(size, of));
    return {first, end - first};
  }

  static std::string range_of(std::size_t size, const std::string& of) {
    if (size == 0) return fmt::format("{} has no entries in this model", of);
    return fmt::format("{} has the entries 0 to {} in this model, the whole is [0:{}]", of,
                       size - 1, size);
  }

  Run rows_of_object(const QuantityArray& array, const std::string& name) const {
    const int object = mj_name2id(&model_, array.owner, name.c_str());
    if (object >= 0) return array.rows_of(model_, object);
    std::vector<std::string> names;
    for (int i = 0;; ++i) {
      const char* known = mj_id2name(&model_, array.owner, i);
      if (known == nullptr && i >= array.rows(model_)) break;
      if (known != nullptr) names.emplace_back(known);
    }
    const std::string kind = mju_type2Str(array.owner);
    if (names.empty()) refuse(fmt::format("this model names no {}, use an index", kind));
    refuse(fmt::format("this model has no {} {}, did you mean \"{}\"?", kind, name,
                       nearest_name(name, names)));
  }

  const JsonField& field_;
  const mjModel& model_;
  std::string text_;
};

}  // namespace

Quantity read_quantity(const JsonField& field, const mjModel& model) {
  return QuantityReader(field, model).read();
}

bool needs_contact_forces(const Quantity& quantity) { return quantity.array == &mjData::cfrc_ext; }

}  // namespace lpdm
