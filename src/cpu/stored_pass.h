// The local loss of all hidden layers where the distances of all kept pairs fit the budget of
// DistanceStore: each is worked out once, and the maximum of D_Y is known before the errors.
//
// Four sweeps, each shared among the threads, for all layers at once: pack the blocks of rows; form
// the distances of each tile; turn them into the gradient's coefficients; form the gradient, which
// is handed out by dimensions, not by tiles. A thread that owns some dimensions of all rows meets
// the tiles in an order of its own and needs no other's result, so the sum that a row ends with
// depends neither on the number of threads nor on how the dimensions were handed out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cpu/context.h"
#include "cpu/pair_blocks.h"
#include "cpu/pair_schedule.h"
#include "cpu/pair_target.h"
#include "cpu/pair_tile.h"
#include "cpu/stored_layer.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class StoredPass {
 public:
  // Borrows all; target is prepared by run.
  StoredPass(Context& context, PairTarget& target, WorkerTiles& worker_tiles);

  // Whether an op is this pass's business.
  static bool takes(const LocalLoss& op, const PairLayout& layout);
  // Bytes of gradient that all threads together hold at most.
  static double gradient_bytes(double blocks, std::int64_t threads);

  void run(const LocalLoss& op, const PairLayout& layout);

 private:
  using Layers = std::vector<StoredLayer*>;
  // Some panels of a layer.
  struct Share {
    StoredLayer* layer = nullptr;
    std::int64_t first = 0;
    std::int64_t count = 0;
  };

  Layers prepare(const LocalLoss& op);
  void pack(const Layers& layers);
  void form_distances(const Layers& layers);
  void form_errors(const Layers& layers);
  void write_gradients(const Layers& layers);
  std::vector<Share> share_out(const Layers& layers) const;

  Context& context_;
  PairTarget& target_;
  WorkerTiles& worker_tiles_;
  const PairLayout* layout_ = nullptr;
  std::optional<PairSchedule> schedule_;
  std::vector<std::unique_ptr<StoredLayer>> layers_;
  std::vector<Scratch<float>> gradients_;  // per worker
};

}  // namespace lpdm::cpu
