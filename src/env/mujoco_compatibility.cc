#include "env/mujoco_compatibility.h"

#include <cstddef>

namespace lpdm {

namespace {

// mjVERSION_HEADER is 337 for 3.3.7 and 3015000 for 3.15.0.
constexpr int kMajor =
    mjVERSION_HEADER < 1000 ? mjVERSION_HEADER / 100 : mjVERSION_HEADER / 1000000;
constexpr int kMinor =
    mjVERSION_HEADER < 1000 ? mjVERSION_HEADER / 10 % 10 : mjVERSION_HEADER / 1000 % 1000;

constexpr bool at_least(int major, int minor) {
  return kMajor > major || (kMajor == major && kMinor >= minor);
}

// Since 3.0 a body that only slides has its inverse weights computed without armature, which makes
// contacts with Pusher's light object about 10^7 times too soft.
[[maybe_unused]] void restore_slider_weights(mjModel& model) {
  for (int body = 1; body < model.nbody; ++body) {
    const int first = model.body_dofadr[body];
    const int count = model.body_dofnum[body];
    bool slides_in_plane = count == 2;
    for (int dof = first; slides_in_plane && dof < first + count; ++dof) {
      slides_in_plane = model.jnt_type[model.dof_jntid[dof]] == mjJNT_SLIDE;
    }
    if (!slides_in_plane) continue;
    const mjtNum inverse = 1 / (model.dof_armature[first] + model.body_mass[body]);
    for (int dof = first; dof < first + count; ++dof) model.dof_invweight0[dof] = inverse;
    mjtNum* body_inverse = model.body_invweight0 + std::ptrdiff_t{2} * body;
    body_inverse[0] = 2 * inverse / 3;  // translation
    body_inverse[1] = 0;                // rotation
  }
}

}  // namespace

void approach_mujoco_2_3_7([[maybe_unused]] mjModel& model) {
  if constexpr (at_least(3, 0)) restore_slider_weights(model);
#if mjVERSION_HEADER >= 330
  model.opt.disableflags |= mjDSBL_NATIVECCD;
#endif
  if constexpr (at_least(3, 5)) {  // the margins of two geoms are added there, formerly the larger
    for (int geom = 0; geom < model.ngeom; ++geom) model.geom_margin[geom] *= 0.5;
  }
}

void normalize_quaternions(const mjModel& model, mjtNum* qpos) {
  if constexpr (at_least(3, 2)) mj_normalizeQuat(&model, qpos);
}

}  // namespace lpdm
