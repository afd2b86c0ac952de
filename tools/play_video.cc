#include "play_video.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lpdm {

double frames_per_second(double dt, double speed) {
  constexpr double kLeast = 30.0, kMost = 60.0;
  const double steps_per_second = speed / dt;
  if (steps_per_second < kLeast) return kLeast;
  return steps_per_second / std::ceil(steps_per_second / kMost - 1e-9);
}

VideoObserver::VideoObserver(const VideoSettings& settings, const Environment& environment)
    : scene_(scene_of(environment)),
      dt_(environment.spec().dt),
      fps_(settings.fps.value_or(frames_per_second(dt_, settings.speed))),
      frame_steps_(settings.speed / (fps_ * dt_)),
      label_(settings.label),
      renderer_(*scene_.model, settings.view),
      writer_(settings.path,
              {.width = settings.view.width, .height = settings.view.height, .fps = fps_}),
      picture_(static_cast<std::size_t>(settings.view.width) *
               static_cast<std::size_t>(settings.view.height) * 3) {}

std::string VideoObserver::description() const {
  return fmt::format("drawing with {}, {:.4g} frames per second", renderer_.context_name(), fps_);
}

void VideoObserver::on_start(std::int64_t episode, const Environment& environment) {
  environment_ = &environment;
  episode_ = episode;
  episode_frames_ = 0;
  step_ = 0;
  return_sum_ = 0.0;
  before_ = after_ = scene_.pose(environment.state(), {});
  add_frame(0.0);
}

// Adds the frames whose time has come with this step.
void VideoObserver::on_step(const PlayedStep& step) {
  constexpr double kRounding = 1e-6;  // [steps]
  before_ = after_;
  after_ = scene_.pose(environment_->state(), before_);
  const auto start = static_cast<double>(step_);
  step_ = step.number;
  return_sum_ = step.return_sum;
  while (true) {
    const double progress = static_cast<double>(episode_frames_) * frame_steps_ - start;
    if (progress > 1.0 + kRounding) return;
    add_frame(std::min(progress, 1.0));
  }
}

void VideoObserver::on_end(const PlayedEpisode&) { environment_ = nullptr; }

void VideoObserver::add_frame(double progress) {
  const std::string label =
      label_ ? fmt::format("{}   episode {}   {:.2f} s   return {:.1f}", environment_->spec().id,
                           episode_ + 1, static_cast<double>(step_) * dt_, return_sum_)
             : "";
  renderer_.draw(before_, after_, progress, label, picture_);
  writer_.add(picture_);
  ++episode_frames_;
  ++frames_;
}

}  // namespace lpdm
