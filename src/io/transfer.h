// Starting a run with layers that another run has learned.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lpdm/config.h"
#include "lpdm/network.h"

namespace lpdm {

struct LayerTransfer {
  std::string layer;  // as checkpoints call it: hidden.0, …, head, value
  bool taken = false;
  std::string detail;  // its shape, or why it was not taken
};

struct TransferReport {
  std::filesystem::path source;
  std::vector<LayerTransfer> layers;
  std::string remark;  // what else differs between the runs; may be empty

  // One line, as in "from runs/a: took hidden.0 (12 × 4); not head (2 × 12 there, 3 × 12 here)".
  std::string text() const;
};

// Puts weights and biases of the run in folder `source` into each layer of `network` that has the
// same name, shape and activation there and is among network.init_layers; Adam starts afresh.
// `config`: of the network's run. Throws UsageError, with the network unchanged, if the run is
// missing or damaged, or if no hidden layer of it fits.
TransferReport transfer_layers(const std::filesystem::path& source, const Config& config,
                               Network& network);

}  // namespace lpdm
