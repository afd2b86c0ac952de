// The video of `lpdm play`: pictures of the environment at even times, whatever its step is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "play_episode.h"
#include "render/scene.h"
#include "render/scene_renderer.h"
#include "render/video_writer.h"

namespace lpdm {

struct VideoSettings {
  std::string path;  // "": no video
  RenderView view;
  std::optional<double> fps;  // none: see frames_per_second
  double speed = 1.0;         // simulated seconds per second of the video
  bool label = true;          // a line of text in the picture
};

// Frames per second of a video of steps of `dt` [s] at `speed`: one per step where that makes 30 to
// 60; else one for every second, third, … step, or 30 with pictures between the steps.
double frames_per_second(double dt, double speed);

class VideoObserver final : public PlayObserver {
 public:
  // Throws as SceneRenderer, VideoWriter and scene_of do.
  VideoObserver(const VideoSettings& settings, const Environment& environment);

  void on_start(std::int64_t episode, const Environment& environment) override;
  void on_step(const PlayedStep& step) override;
  void on_end(const PlayedEpisode& episode) override;

  // Waits until the file is complete.
  void finish() { writer_.finish(); }

  std::int64_t frames() const { return frames_; }
  double seconds() const { return static_cast<double>(frames_) / fps_; }
  // "drawing with EGL, 50 frames per second".
  std::string description() const;

 private:
  void add_frame(double progress);

  Scene scene_;
  double dt_;  // [s]
  double fps_;
  double frame_steps_;  // environment steps from one frame to the next
  bool label_;
  SceneRenderer renderer_;
  VideoWriter writer_;
  std::vector<std::uint8_t> picture_;

  const Environment* environment_ = nullptr;  // of the episode that runs
  std::int64_t episode_ = 0;
  std::int64_t episode_frames_ = 0;
  std::int64_t step_ = 0;
  double return_sum_ = 0.0;
  std::vector<double> before_, after_;  // (nq), around the step
  std::int64_t frames_ = 0;
};

}  // namespace lpdm
