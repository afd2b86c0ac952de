// Prints what lpdm's own policy says to random observations, as JSON, for tests of exported ones:
// policy_cases RUN
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "io/checkpoint.h"
#include "io/checkpoint_store.h"
#include "io/json_text.h"
#include "io/run_folder.h"
#include "lpdm/error.h"
#include "lpdm/random.h"
#include "rl/policy_player.h"

namespace lpdm {
namespace {

Json policy_cases(const std::string& run) {
  constexpr int kCases = 64;
  Trainer trainer(RunFolder::load_config(run));
  const FoundCheckpoint found = find_checkpoint(run);
  restore_checkpoint(found.file, found.path.string(), RestoreFor::kEvaluation, trainer);
  PolicyPlayer player(trainer);
  const EnvironmentSpec& environment = trainer.environment();
  Json cases{{"environment", environment.id},
             {"discrete", environment.action.discrete},
             {"std", player.policy().std()},
             {"observations", Json::array()},
             {"outputs", Json::array()}};
  RandomStream random(1, {.purpose = StreamPurpose::kBenchmark});
  for (int i = 0; i < kCases; ++i) {
    // Some far out, where what is normalised is clipped.
    const double scale = i % 8 == 0 ? 100.0 : 1.0;
    std::vector<float> observation(static_cast<std::size_t>(environment.observation_size));
    for (float& value : observation) value = static_cast<float>(scale * random.normal());
    cases["observations"].push_back(observation);
    cases["outputs"].push_back(player.run(observation));
  }
  return cases;
}

}  // namespace
}  // namespace lpdm

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw lpdm::UsageError("expected one argument, the run folder");
    std::cout << lpdm::policy_cases(argv[1]).dump() << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "policy_cases: " << error.what() << '\n';
    return 1;
  }
}
