// `lpdm play`: plays episodes one step after the other, as text or as a video.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "lpdm/error.h"
#include "notice.h"
#include "play_episode.h"
#include "play_video.h"
#include "rl/policy_player.h"
#include "saved_run.h"

namespace lpdm {
namespace {

struct PlayArguments {
  SavedRunArguments saved;
  std::int64_t episodes = 1;
  bool stochastic = false;
  bool steps = false;
  std::string size = "640x480";
  VideoSettings video;
};

// Prints every step of an episode, or only how it ended.
class TextObserver final : public PlayObserver {
 public:
  explicit TextObserver(bool steps) : steps_(steps) {}

  void on_start(std::int64_t, const Environment& environment) override {
    dt_ = environment.spec().dt;
  }
  void on_step(const PlayedStep& step) override {
    if (!steps_) return;
    fmt::print("  step {:4}  action {:.4g}  reward {:.6g}  return {:.6g}\n", step.number,
               fmt::join(step.action, " "), step.reward, step.return_sum);
  }
  void on_end(const PlayedEpisode& episode) override {
    fmt::print("episode {}: return {:.2f} in {} steps ({:.2f} s), {}\n", episode.number + 1,
               episode.return_sum, episode.steps, static_cast<double>(episode.steps) * dt_,
               end_text(episode.end));
  }

 private:
  static const char* end_text(EpisodeEnd end) {
    switch (end) {
      case EpisodeEnd::kTerminated:
        return "ended by the environment";
      case EpisodeEnd::kTimeLimit:
        return "stopped at the step limit";
      default:
        return "stopped as the simulation diverged";
    }
  }

  bool steps_;
  double dt_ = 0.0;
};

// "640x480".
void read_size(const std::string& text, RenderView& view) {
  const auto number = [](const char* begin, const char* end, int& value) {
    const auto parsed = std::from_chars(begin, end, value);
    return parsed.ec == std::errc() && parsed.ptr == end;
  };
  constexpr int kLeast = 16, kMost = 8192;
  const auto good = [](int value) { return value >= kLeast && value <= kMost && value % 2 == 0; };
  const char* end = text.data() + text.size();
  const std::size_t cross = text.find('x');
  if (cross == std::string::npos || !number(text.data(), text.data() + cross, view.width) ||
      !number(text.data() + cross + 1, end, view.height) || !good(view.width) ||
      !good(view.height)) {
    throw UsageError(fmt::format(
        "--size must be a width and a height of {} to {} pixels, both even, as in 1280x720, not "
        "\"{}\"",
        kLeast, kMost, text));
  }
}

void run_play(PlayArguments arguments) {
  read_size(arguments.size, arguments.video.view);
  const std::unique_ptr<Trainer> trainer = load_saved_run(arguments.saved);
  PlaySession session(*trainer, arguments.stochastic);
  TextObserver text(arguments.steps);
  std::vector<PlayObserver*> observers = {&text};
  std::optional<VideoObserver> video;
  if (!arguments.video.path.empty()) {
    video.emplace(arguments.video, session.environment());
    notice(video->description() + "\n");
    observers.push_back(&*video);
  }
  double return_sum = 0.0;
  for (std::int64_t episode = 0; episode < arguments.episodes; ++episode) {
    return_sum += session.play(episode, observers).return_sum;
  }
  if (arguments.episodes > 1) {
    fmt::print("mean return {:.2f}\n", return_sum / static_cast<double>(arguments.episodes));
  }
  if (video) {
    video->finish();
    fmt::print("{}: {} frames, {:.2f} s\n", arguments.video.path, video->frames(),
               video->seconds());
  }
}

void add_video_options(CLI::App& command, PlayArguments& arguments) {
  VideoSettings& video = arguments.video;
  command.add_option("--video", video.path,
                     "Video file to write: .mp4, .mkv, .mov, .webm or .gif (needs ffmpeg)");
  command.add_option("--size", arguments.size, "Width and height of the video in pixels")
      ->capture_default_str();
  command
      .add_option("--fps", video.fps,
                  "Frames per second; default: every step of the environment, or as many as make "
                  "30 to 60")
      ->check(CLI::Range(1.0, 240.0));
  command.add_option("--speed", video.speed, "How much faster than in reality time passes")
      ->check(CLI::Range(0.01, 100.0))
      ->capture_default_str();
  command.add_option("--camera", video.view.camera,
                     "One of the model's cameras; default: one that follows what moves");
  command.add_option("--azimuth", video.view.azimuth, "Degrees that the camera stands around");
  command.add_option("--elevation", video.view.elevation,
                     "Degrees that it looks up; negative: down");
  command.add_option("--distance", video.view.distance, "Metres that it stands away")
      ->check(CLI::PositiveNumber);
  command.add_flag("!--no-label", video.label, "No line of text in the picture");
}

}  // namespace

void add_play_command(CLI::App& app) {
  const auto arguments = std::make_shared<PlayArguments>();
  CLI::App* command =
      app.add_subcommand("play", "Play episodes step by step, as text or as a video");
  add_saved_run_options(*command, arguments->saved);
  add_seed_option(*command, arguments->saved);
  command->add_option("--episodes", arguments->episodes, "Episodes to play")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}))
      ->capture_default_str();
  command->add_flag("--stochastic", arguments->stochastic,
                    "Sample actions instead of taking the most likely");
  command->add_flag("--steps", arguments->steps, "Print every step");
  add_video_options(*command, *arguments);
  command->footer(
      "Examples:\n"
      "  lpdm play runs/cartpole --episodes 3\n"
      "  lpdm play runs/hopper --video hopper.mp4 --size 1280x720\n"
      "  lpdm play runs/cartpole --video falls.gif --stochastic --seed 7 --speed 0.5");
  command->callback([arguments] { run_play(*arguments); });
}

}  // namespace lpdm
