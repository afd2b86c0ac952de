// Draws a MuJoCo model off screen.
//
// Owns an OpenGL context and a copy of the model; belongs to the thread that has made it.
#pragma once

#include <mujoco/mujoco.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace lpdm {

struct RenderView {
  int width = 0;       // [pixels]
  int height = 0;      // [pixels]
  std::string camera;  // one of the model's; empty: one that follows what moves
  // Of the camera that is not the model's.
  std::optional<double> azimuth;    // [degrees], 90: x to the right, y into the picture
  std::optional<double> elevation;  // [degrees], negative: from above
  std::optional<double> distance;   // [m]
};

class SceneRenderer {
 public:
  // Throws UsageError for a camera that the model does not have, naming those it has, and Error if
  // this machine cannot draw.
  SceneRenderer(const mjModel& model, const RenderView& view);
  ~SceneRenderer();

  // Draws the model between two positions (nq) of its joints, part `progress` (0 to 1) of the way
  // from one to the other, with one line of text at the bottom. rgb: (height, width, 3), the top
  // row first.
  void draw(std::span<const double> from, std::span<const double> to, double progress,
            const std::string& label, std::span<std::uint8_t> rgb);

  // What draws, for messages.
  std::string context_name() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lpdm
