#include "core/build_info.h"

#include <hwy/highway.h>
#include <mujoco/mujoco.h>

#include "core/blas.h"
#include "lpdm_git_commit.h"  // generated, see cmake/WriteGitCommit.cmake

namespace lpdm {

BuildInfo build_info() {
  BuildInfo info;
  info.version = LPDM_VERSION;
  info.commit = kGitCommit;
  info.compiler = LPDM_COMPILER;
  info.build_type = LPDM_BUILD_TYPE;
  info.flags = LPDM_FLAGS;
  info.mujoco = mj_versionString();
  info.openblas = blas::description();
  info.simd = hwy::TargetName(hwy::SupportedAndGeneratedTargets().front());
  return info;
}

}  // namespace lpdm
