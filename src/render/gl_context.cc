#include "render/gl_context.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "lpdm/error.h"

namespace lpdm {

std::unique_ptr<GlContext> make_gl_context() {
  const char* given = std::getenv("LPDM_GL");
  const std::string_view wanted = given != nullptr ? given : "";
  if (!wanted.empty() && wanted != "egl" && wanted != "osmesa") {
    throw UsageError(
        fmt::format("the environment variable LPDM_GL must be egl or osmesa, not \"{}\"", wanted));
  }
  std::unique_ptr<GlContext> context;
  if (wanted != "osmesa") context = make_egl_context();
  if (!context && wanted != "egl") context = make_osmesa_context();
  if (!context) {
    throw Error(
        fmt::format("this machine offers no OpenGL for drawing off screen{}: install libegl1 and "
                    "libgl1-mesa-dri, or libosmesa6",
                    wanted.empty() ? "" : fmt::format(" by LPDM_GL={}", wanted)));
  }
  return context;
}

}  // namespace lpdm
