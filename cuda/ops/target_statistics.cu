#include "landmarks/landmark_loss.h"
#include "lowrank/lowrank_loss.h"
#include "ops/target_statistics.h"
#include "pairs/largest_entry.h"
#include "pairs/pack_rows.h"
#include "pairs/pair_sides.h"

namespace lpdm::cuda {

void target_statistics(Context& context, const TargetStatistics& op) {
  const PairwiseTarget& target = op.target;
  if (target.low_rank > 0) {
    low_rank_statistics(context, op);
    return;
  }
  if (takes_few_landmarks(context, target, op.target_rule)) {
    landmark_statistics(context, op);
    return;
  }
  const PairDomains domains = make_domains(context, target);
  TargetView view;
  view.rows = pack_rows(context, domains.all.rows, target.input, target.dim, target.metric,
                        Arithmetic::kFp32);
  view.columns = domains.landmarks ? pack_rows(context, domains.all.columns, target.input,
                                               target.dim, target.metric, Arithmetic::kFp32)
                                   : view.rows;
  view.scales = op.scales;
  find_scales(context, tile_grid(domains.all, context.device.multiprocessors), domains.all, view,
              target, op.scales);
}

}  // namespace lpdm::cuda
