#include "lpdm/reinforce.h"

#include "rl/reinforce_update.h"

namespace lpdm {

struct Reinforce::Impl {
  ReinforceUpdate update;
};

Reinforce::Reinforce(Backend& backend, Network& network, const ActionSpace& action,
                     const Config& config)
    : impl_(new Impl{.update = ReinforceUpdate(backend, network, action, config)}) {}
Reinforce::~Reinforce() = default;

UpdateReport Reinforce::update(const Batch& batch, const UpdateOptions& options) {
  return impl_->update.update(batch, options);
}

std::int64_t Reinforce::iteration() const { return impl_->update.iteration(); }
void Reinforce::set_iteration(std::int64_t iteration) { impl_->update.set_iteration(iteration); }

}  // namespace lpdm
