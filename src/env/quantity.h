// Numbers of a running simulation, named by a text that is resolved once against the model.
//
//   qpos              all of an array
//   qpos[2]           one entry, or one row of three for xpos
//   qpos[1:6]         entries 1 to 5; either bound may be left out
//   qpos[root]        what belongs to the object (here a joint) of that name
//   xpos[torso][0:2]  some of the numbers of one row or object
#pragma once

#include <mujoco/mujoco.h>

#include <cstddef>
#include <span>
#include <string>

#include "env/json_field.h"

namespace lpdm {

// A run of one array of mjData. Immutable; valid for any data of the model it was resolved with.
struct Quantity {
  mjtNum* mjData::*array = nullptr;
  std::size_t first = 0;
  std::size_t count = 0;

  std::span<const double> of(const mjData& data) const { return {data.*array + first, count}; }
};

// Throws UsageError naming the field, and the nearest valid choice, for a text that names nothing.
Quantity read_quantity(const JsonField& field, const mjModel& model);

// Whether mj_step leaves the array alone, so that mj_rnePostConstraint has to fill it.
bool needs_contact_forces(const Quantity& quantity);

}  // namespace lpdm
