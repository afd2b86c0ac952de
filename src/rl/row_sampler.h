// Copies a few rows of a batch, and what the hidden layers made of them, to the host.
#pragma once

#include <cstdint>

#include "lpdm/backend.h"
#include "lpdm/network.h"
#include "lpdm/update.h"
#include "nn/activations.h"

namespace lpdm {

// Few enough that their pairs cost next to nothing beside an update.
inline constexpr std::int64_t kSampleRows = 64;

class RowSampler {
 public:
  RowSampler(Backend& backend, const NetworkShape& shape);

  // min(N, kSampleRows) rows, evenly spread over the N of the latest forward pass.
  RowSample take(const Rows& rows, const HiddenActivations& activations);

 private:
  std::vector<float> gather(const float* source, std::int64_t width, std::int64_t rows);

  Backend& backend_;
  NetworkShape shape_;
  DeviceArray<std::int64_t> count_;  // (1)
  DeviceArray<std::int64_t> index_;  // (kSampleRows)
  DeviceArray<float> gathered_;      // (kSampleRows, widest)
};

}  // namespace lpdm
