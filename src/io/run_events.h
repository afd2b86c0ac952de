// What TensorBoard is shown of an iteration: every number of its line in metrics.jsonl under the
// same name, and with the diagnostics histograms of a sample of the batch's rows.
#pragma once

#include "io/event_file.h"
#include "io/json_text.h"
#include "lpdm/config.h"
#include "lpdm/trainer.h"

namespace lpdm {

// `line`: metrics_json of the same metrics. Layers are counted from 1: layer_1/loss. Histograms:
//   distances/input, distances/layer_1: T's unguided part and D̄_Y, all pairs of the sampled rows,
//     relative to the largest of them, by the metric of the local loss
//   activations/layer_1: the outputs of the sampled rows
StepEvents run_events(const Json& line, const IterationMetrics& metrics, const Config& config);

}  // namespace lpdm
