// Forms the whole N×N matrices of the local loss, which training never does.
#pragma once

#include <cstdint>

#include "lpdm/backend.h"
#include "lpdm/config.h"
#include "lpdm/episode_distances.h"
#include "lpdm/network.h"
#include "rl/episode_collector.h"

namespace lpdm {

// Of at most `max_rows` rows of the episode, evenly spread over it. Maxima, losses and correlations
// are the backend's.
EpisodeDistances distance_matrices(Backend& backend, Network& network, const Config& config,
                                   const Episode& episode, std::int64_t max_rows);

}  // namespace lpdm
