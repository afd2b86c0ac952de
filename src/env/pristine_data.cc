#include "env/pristine_data.h"

#include <cstring>
#include <type_traits>

namespace lpdm {

namespace {

static_assert(std::is_trivially_copyable_v<mjData>);
constexpr std::size_t kStatisticsBegin = offsetof(mjData, solver);
constexpr std::size_t kStatisticsEnd = kStatisticsBegin + sizeof(mjData::solver);

std::byte* bytes_of(mjData& data) { return reinterpret_cast<std::byte*>(&data); }

std::byte* buffer_of(mjData& data) { return static_cast<std::byte*>(data.buffer); }

}  // namespace

PristineData::PristineData(const mjModel& model, mjData& data) {
  mj_resetData(&model, &data);
  std::byte* bytes = bytes_of(data);
  before_statistics_.assign(bytes, bytes + kStatisticsBegin);
  after_statistics_.assign(bytes + kStatisticsEnd, bytes + sizeof(mjData));
  buffer_.assign(buffer_of(data), buffer_of(data) + data.nbuffer);
}

void PristineData::restore(const mjModel& model, mjData& data) const {
  if (model.nplugin > 0) {
    mj_resetData(&model, &data);
    return;
  }
  std::byte* bytes = bytes_of(data);
  std::memcpy(bytes, before_statistics_.data(), before_statistics_.size());
  std::memcpy(bytes + kStatisticsEnd, after_statistics_.data(), after_statistics_.size());
  std::memcpy(buffer_of(data), buffer_.data(), buffer_.size());
}

}  // namespace lpdm
