// Both overloads of Environment::observe from one template.
#pragma once

#include <span>

namespace lpdm {

// Derived has `template <typename T> void write_observation(std::span<T> out) const` and names
// ObservedBy<Derived, Base> as a friend; Base is Environment or a class derived from it.
template <typename Derived, typename Base>
class ObservedBy : public Base {
 public:
  void observe(std::span<double> observation) const final { self().write_observation(observation); }
  void observe(std::span<float> observation) const final { self().write_observation(observation); }

 protected:
  using Base::Base;

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }
};

}  // namespace lpdm
