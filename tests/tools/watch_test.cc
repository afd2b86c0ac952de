// `lpdm watch`, and the curves that it draws.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <vector>

#include "io/descriptor.h"
#include "run_view.h"
#include "sparkline.h"
#include "tools/program.h"
#include "tools/run_fixture.h"

namespace lpdm {
namespace {

TEST(Sparkline, DrawsSmallestAndLargestAsLowestAndHighest) {
  EXPECT_EQ(sparkline(std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}, 8), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(sparkline(std::vector<double>{7, -7}, 8), "█▁");
}

TEST(Sparkline, ACharacterIsTheMeanOfItsShare) {
  EXPECT_EQ(sparkline(std::vector<double>{0, 0, 6, 8, 14, 14}, 3), "▁▅█");
}

TEST(Sparkline, OfConstantAndUnknownValues) {
  EXPECT_EQ(sparkline(std::vector<double>{2, 2}, 8), "▁▁");
  EXPECT_EQ(sparkline(std::vector<double>{0, std::nan(""), 1}, 8), "▁ █");
  EXPECT_EQ(sparkline(std::vector<double>{}, 8), "");
}

class Watch : public RunFixture {
 protected:
  Watch() : RunFixture(12) {}
  std::string watch(const std::string& name) const { return "watch '" + out(name).string() + "'"; }
};

TEST_F(Watch, ShowsACompleteRunOnceWithoutEscapeSequences) {
  expect_trained("run");
  const Outcome outcome = run_program(watch("run"));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out.find('\033'), std::string::npos);
  EXPECT_NE(outcome.out.find("100 %  iteration 12 of 12"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("complete"), std::string::npos);
  for (const char* curve : {"return, mean of 50", "layer 1 loss", "layer 2 gradient norm"}) {
    EXPECT_NE(outcome.out.find(curve), std::string::npos) << curve;
  }
}

TEST_F(Watch, SaysThatARunHasStopped) {
  expect_trained("run");
  std::filesystem::resize_file(out("run") / "metrics.jsonl", 4000);  // within a line
  const Outcome outcome = run_program(watch("run"));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("stopped"), std::string::npos) << outcome.out;
}

TEST_F(Watch, TakesInWhatIsWrittenAndForgetsWhatAResumeDrops) {
  expect_trained("run");
  const std::filesystem::path metrics = out("run") / "metrics.jsonl";
  const std::string all = file_text(metrics);
  const auto first_lines = [&all](int count) {
    std::size_t end = 0;
    for (int line = 0; line < count; ++line) end = all.find('\n', end) + 1;
    return all.substr(0, end);
  };
  RunView view(out("run"));
  const auto expect_shown = [&view](const std::string& part) {
    view.refresh();
    EXPECT_NE(view.text(100).find(part), std::string::npos) << view.text(100);
  };
  put_file(metrics, "");
  expect_shown("no iteration has ended yet");
  put_file(metrics, first_lines(5) + "{\"iteration\": 6, \"ret");
  expect_shown("iteration 5 of 12");
  put_file(metrics, first_lines(9));
  expect_shown("iteration 9 of 12");
  put_file(metrics, first_lines(7));
  expect_shown("iteration 7 of 12");
  put_file(metrics, all);
  expect_shown("complete");
}

TEST_F(Watch, NoLineIsLongerThanTheTerminal) {
  expect_trained("run");
  RunView view(out("run"));
  view.refresh();
  for (const std::size_t columns : {std::size_t{20}, std::size_t{72}, std::size_t{200}}) {
    std::istringstream text(view.text(columns));
    for (std::string line; std::getline(text, line);) {
      const auto characters = std::ranges::count_if(
          line, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; });
      EXPECT_LE(static_cast<std::size_t>(characters), columns) << line;
    }
  }
}

TEST_F(Watch, RefusesWhatIsNoRun) {
  expect_error("watch " + (folder_ / "nothing").string(), 2, "nothing");
  expect_trained("run");
  put_file(out("run") / "metrics.jsonl", "{\"loss\": 1}\n");
  expect_error(watch("run"), 2, "line 1");
}

// A run that another program holds is followed on a terminal until Ctrl-C.
TEST_F(Watch, FollowsARunningRunOnATerminalUntilASignal) {
  expect_trained("run");
  const Descriptor lock(open(out("run").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(flock(lock.get(), LOCK_EX | LOCK_NB), 0);
  int terminal = -1;
  const std::string run = out("run").string();
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    execl(LPDM_PROGRAM, "lpdm", "watch", run.c_str(), "--interval", "0.1", nullptr);
    _exit(127);
  }
  ASSERT_GT(child, 0);
  std::string shown;
  const std::string home = "\033[H";
  int frames = 0;
  bool asked = false;
  char buffer[4096];
  for (ssize_t count; (count = read(terminal, buffer, sizeof buffer)) > 0;) {
    shown.append(buffer, static_cast<std::size_t>(count));
    frames = 0;
    for (std::size_t at = shown.find(home); at != std::string::npos; at = shown.find(home, at + 1))
      ++frames;
    if (frames >= 3 && !asked) asked = kill(child, SIGINT) == 0;
  }
  close(terminal);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 130) << status;
  EXPECT_GE(frames, 3);
  EXPECT_NE(shown.find("\033[?1049h"), std::string::npos);
  EXPECT_NE(shown.find("\033[?25h\033[?1049l"), std::string::npos) << "the cursor comes back";
}

}  // namespace
}  // namespace lpdm
