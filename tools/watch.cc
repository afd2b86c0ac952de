// `lpdm watch`: a run's curves in the terminal, drawn anew as it goes on.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "commands.h"
#include "held_signals.h"
#include "run_view.h"

namespace lpdm {
namespace {

constexpr int kSignalStatus = 128;
constexpr std::size_t kUsualColumns = 100;  // where there is no terminal to ask

std::size_t terminal_columns() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                         : kUsualColumns;
}

void show(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

// The terminal's second screen, without a cursor, for as long as this lives: what was on the first
// is there again afterwards.
class SecondScreen {
 public:
  SecondScreen() { show("\033[?1049h\033[?25l"); }
  ~SecondScreen() { show("\033[?25h\033[?1049l"); }
  SecondScreen(const SecondScreen&) = delete;
  SecondScreen& operator=(const SecondScreen&) = delete;

  static void draw(const std::string& frame) {
    std::string text = "\033[H";
    for (const char character : frame) {
      if (character == '\n') text += "\033[K";  // the rest of the line before
      text += character;
    }
    show(text + "\033[J");
  }
};

// Returns the signal that ended it; 0: the run has ended.
int follow(RunView& view, double interval) {
  const HeldSignals signals;
  const SecondScreen screen;
  while (true) {
    SecondScreen::draw(view.text(terminal_columns()));
    if (view.state() != RunView::State::kRunning) return 0;
    if (const int signal = signals.take_within(interval); signal != 0) return signal;
    view.refresh();
  }
}

void run_watch(const std::string& folder, double interval) {
  RunView view(folder);
  view.refresh();
  const bool live = isatty(STDOUT_FILENO) != 0 && view.state() == RunView::State::kRunning;
  const int signal = live ? follow(view, interval) : 0;
  show(view.text(terminal_columns()));
  if (signal != 0) throw CLI::RuntimeError(kSignalStatus + signal);
}

}  // namespace

void add_watch_command(CLI::App& app) {
  struct Arguments {
    std::string run;
    double interval = 1.0;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("watch", "Show a run's curves in the terminal, live");
  command->add_option("RUN", arguments->run, "Run folder")->required();
  command->add_option("--interval", arguments->interval, "Time between two looks [s]")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  command->footer(
      "Ends when the run does, or with Ctrl-C; the run goes on. Where the output is no terminal, "
      "the run is shown once.\n"
      "Example:\n  lpdm watch runs/cartpole");
  command->callback([arguments] { run_watch(arguments->run, arguments->interval); });
}

}  // namespace lpdm
