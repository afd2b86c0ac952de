// `lpdm play`: the episodes that eval plays, as text and as videos that ffprobe measures.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "render/shared_object.h"
#include "tools/run_fixture.h"

namespace lpdm {
namespace {

class PlayTest : public RunFixture {
 protected:
  PlayTest() : RunFixture(5) {}

  std::string run(const std::string& command, const std::string& options = "") const {
    return fmt::format("{} '{}' {}", command, out("run").string(), options);
  }
};

// Videos need what only tools/bootstrap.sh --ci installs.
class VideoTest : public PlayTest {
 protected:
  void SetUp() override {
    PlayTest::SetUp();
    if (std::getenv("LPDM_REQUIRE_TEST_WHEELS") != nullptr) return;
    const bool can_encode = ::system("command -v ffmpeg ffprobe >/dev/null") == 0;
    if (!can_encode || !SharedObject::open({"libEGL.so.1"}) ||
        !SharedObject::open({"libOSMesa.so.8"})) {
      GTEST_SKIP() << "Missing ffmpeg, EGL or OSMesa; run tools/bootstrap.sh --ci.";
    }
  }

  // Plays with --video and returns what ffprobe says of the file.
  Json probed(const std::string& options) const {
    const std::filesystem::path video = folder_ / "video.mp4";
    const Outcome outcome = run_program(run("play", "--video '" + video.string() + "' " + options));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    const std::string probe = (folder_ / "probe.json").string();
    const std::string command = fmt::format(
        "ffprobe -v error -count_frames -show_streams -of json '{}' > '{}'", video.string(), probe);
    EXPECT_EQ(::system(command.c_str()), 0);
    return parse_json(file_text(probe), "probe")["streams"][0];
  }

  static double duration(const Json& stream) {
    return std::stod(stream["duration"].get<std::string>());
  }
};

TEST_F(PlayTest, PlaysTheEpisodesOfAnEvaluation) {
  for (const std::string environment : {"CartPole-v1", "Hopper-v4"}) {
    std::filesystem::remove_all(out("run"));
    expect_trained("run", "--set env.id=" + environment);
    for (const std::string mode : {"", "--stochastic", "--seed 5"}) {
      SCOPED_TRACE(environment + " " + mode);
      const Outcome evaluated = run_program(run("eval", "--json --episodes 3 " + mode));
      const Outcome played = run_program(run("play", "--episodes 3 " + mode));
      ASSERT_EQ(played.status, 0) << played.err;
      const double mean = parse_json(evaluated.out, "eval")["return_mean"].get<double>();
      EXPECT_NE(played.out.find(fmt::format("mean return {:.2f}\n", mean)), std::string::npos)
          << played.out << evaluated.out;
    }
  }
}

TEST_F(PlayTest, PrintsEveryStepIfAsked) {
  expect_trained("run", "--set env.max_episode_steps=7");
  const Outcome outcome = run_program(run("play", "--steps"));
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 8);
  EXPECT_NE(outcome.out.find("step    7  action "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("stopped at the step limit"), std::string::npos) << outcome.out;
}

TEST_F(VideoTest, AVideoHasItsSizeAndTheTimeOfTheEpisode) {
  expect_trained("run", "--set env.id=InvertedPendulum-v4 --set env.max_episode_steps=3");
  const Json stream = probed("--size 160x120 --episodes 2");
  EXPECT_EQ(stream["codec_name"], "h264");
  EXPECT_EQ(stream["width"], 160);
  EXPECT_EQ(stream["height"], 120);
  // Twice 3 steps of 0.04 s: frames at 0, 1/30, 2/30 and 3/30 s.
  EXPECT_EQ(stream["nb_read_frames"], "8");
  EXPECT_NEAR(duration(stream), 8.0 / 30.0, 1e-3);
}

TEST_F(VideoTest, AVideoOfAClassicEnvironmentHasAFramePerStep) {
  expect_trained("run", "--set env.max_episode_steps=8");
  const Json stream = probed("--size 160x120");
  EXPECT_EQ(stream["nb_read_frames"], "9");
  EXPECT_EQ(stream["r_frame_rate"], "50/1");
  EXPECT_EQ(probed("--size 160x120 --speed 0.5 --fps 25")["nb_read_frames"], "9");
}

TEST_F(VideoTest, ACustomEnvironmentIsDrawnOnTheProcessorToo) {
  expect_trained("run", "--set env.id=mjcf --set env.definition=" LPDM_CONFIG_DIR
                        "/environments/hopper.json --set env.max_episode_steps=6");
  ::setenv("LPDM_GL", "osmesa", 1);
  const Json stream = probed("--size 64x64 --camera track --no-label");
  ::unsetenv("LPDM_GL");
  EXPECT_EQ(stream["nb_read_frames"], "3");  // every third step of 0.008 s
}

TEST_F(VideoTest, SaysInOneSentenceWhatIsMissingOrWrong) {
  expect_trained("run", "--set env.max_episode_steps=3");
  const std::string video = "--video '" + (folder_ / "a.mp4").string() + "' --size 64x64 ";
  expect_error(run("play", "--video a.txt"), 2, ".mp4");
  expect_error(run("play", "--size 63x64"), 2, "even");
  expect_error(run("play", video + "--camera front"), 2, "no camera \"front\"");
  const std::string broken = (folder_ / "broken").string();
  std::filesystem::create_directory(broken);
  put_file(broken + "/ffmpeg", "#!/bin/sh\necho no space left >&2\nexit 1\n");
  std::filesystem::permissions(broken + "/ffmpeg", std::filesystem::perms::owner_all);
  put_file(folder_ / "a.mp4", "an earlier video");
  const auto files = std::ranges::distance(std::filesystem::directory_iterator(folder_.path()));
  const auto expect_sentence = [&](const std::string& before, const std::string& part) {
    const Outcome outcome = run_program(
        fmt::format("info >/dev/null; {} '{}' {}", before, LPDM_PROGRAM, run("play", video)));
    EXPECT_EQ(outcome.status, 1);
    EXPECT_NE(outcome.err.find("lpdm: " + part), std::string::npos) << outcome.err;
    EXPECT_EQ(file_text(folder_ / "a.mp4"), "an earlier video");
    EXPECT_EQ(std::ranges::distance(std::filesystem::directory_iterator(folder_.path())), files);
  };
  expect_sentence("PATH=/nowhere", "there is no program ffmpeg");
  expect_sentence("PATH='" + broken + "'", "ffmpeg could not write the video");
  expect_error(run("play", "--video /nowhere/a.mp4 --size 64x64"), 1, "/nowhere/a.mp4");
}

}  // namespace
}  // namespace lpdm
