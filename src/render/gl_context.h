// An OpenGL context without a window, for drawing off screen.
//
// Current on the thread that has made it until it is destroyed there. The libraries are looked for
// at run time: a program that draws nothing needs none of them.
#pragma once

#include <memory>
#include <string>

namespace lpdm {

class GlContext {
 public:
  virtual ~GlContext() = default;
  GlContext(const GlContext&) = delete;
  GlContext& operator=(const GlContext&) = delete;

  // Which library it comes from, "EGL" or "OSMesa".
  virtual std::string name() const = 0;

 protected:
  GlContext() = default;
};

// EGL on a graphics device or, without one, on the processor; else OSMesa. The environment variable
// LPDM_GL (egl or osmesa) allows one of them alone. Throws Error if neither can be had, UsageError
// for another LPDM_GL.
std::unique_ptr<GlContext> make_gl_context();

// Each null if the library is missing or offers no context.
std::unique_ptr<GlContext> make_egl_context();
std::unique_ptr<GlContext> make_osmesa_context();

}  // namespace lpdm
