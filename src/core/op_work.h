// How much work an op is: a model of what its algorithm has to do at least, to measure speed by.
#pragma once

#include <cstdint>
#include <string>

#include "lpdm/ops.h"

namespace lpdm {

struct OpWork {
  double bytes = 0.0;         // read and written once
  double instructions = 0.0;  // on a single number each; 0: not modelled, memory is what counts
};

// rows: N. A product counts one instruction per multiply-add; a pair of rows two per dimension and
// pass (docs/cuda.md).
OpWork work_of(const DenseForward& op, std::int64_t rows);
OpWork work_of(const DenseGradient& op, std::int64_t rows);
OpWork work_of(const DenseInputGradient& op, std::int64_t rows);
OpWork work_of(const TargetStatistics& op, std::int64_t rows);
OpWork work_of(const LocalLoss& op, std::int64_t rows);
OpWork work_of(const ActivationStatistics& op, std::int64_t rows);
OpWork work_of(const ClipAdam& op);
OpWork work_of(const GatherRows& op, std::int64_t rows);

// Of a stage of an op: only "pass 1" and "pass 2" of the local loss have instructions to count.
OpWork stage_work(const LocalLoss& op, std::int64_t rows, const std::string& stage);

}  // namespace lpdm
