#include "rl/algorithm.h"

#include "rl/episodic_algorithm.h"
#include "rl/ppo_algorithm.h"

namespace lpdm {

std::unique_ptr<Algorithm> make_algorithm(const AlgorithmParts& parts) {
  if (parts.config.algorithm.name == AlgorithmName::kPpo) {
    return std::make_unique<PpoAlgorithm>(parts);
  }
  return std::make_unique<EpisodicAlgorithm>(parts);
}

}  // namespace lpdm
