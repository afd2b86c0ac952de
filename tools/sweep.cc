// `lpdm sweep`: every config with every seed, several runs at once, each a process of its own.
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <list>
#include <memory>
#include <string>

#include "child_process.h"
#include "commands.h"
#include "held_signals.h"
#include "io/descriptor.h"
#include "io/files.h"
#include "io/run_lock.h"
#include "lpdm/error.h"
#include "notice.h"
#include "progress.h"
#include "sweep_plan.h"
#include "sweep_report.h"

namespace lpdm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSignalStatus = 128;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw_io_error("create the folder", folder, error.value());
}

// The sentence with which a run failed, from what it printed.
std::string failure_of(const ProcessEnd& end, const std::filesystem::path& log) {
  constexpr std::string_view kPrefix = "lpdm: ";
  if (end.signal != 0) {
    return fmt::format("it was ended by signal {}{}", end.signal,
                       end.signal == SIGKILL ? ", perhaps for want of memory" : "");
  }
  std::string sentence;
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kPrefix)) sentence = line.substr(kPrefix.size());
  }
  if (!sentence.empty()) return sentence;
  return end.status > kSignalStatus
             ? "it was asked to stop by a signal from elsewhere"
             : fmt::format("it ended with status {}, see {}", end.status, log.string());
}

class Sweep {
 public:
  Sweep(const SweepArguments& arguments, SweepPlan plan)
      : arguments_(arguments), plan_(std::move(plan)) {
    for (std::size_t r = 0; r < plan_.runs.size(); ++r) {
      if (plan_.runs[r].state != RunState::kComplete) waiting_.push_back(r);
    }
    left_ = waiting_.size();
  }

  // Returns the exit status.
  int run() {
    notice(fmt::format("{} runs, {} complete already; {} at once, results in {}\n",
                       plan_.runs.size(), plan_.runs.size() - left_, plan_.jobs, arguments_.out));
    if (!plan_.notice.empty()) notice(plan_.notice + "\n");
    const HeldSignals signals;
    while (start_runs(), !running_.empty()) {
      const int signal = signals.take();
      if (signal == SIGCHLD) {
        collect_ended();
      } else {
        stop(signal);
      }
    }
    return finish();
  }

 private:
  struct Running {
    std::size_t run;
    ChildProcess process;
    Clock::time_point start;
  };

  void start_runs() {
    while (stop_signal_ == 0 && !waiting_.empty() &&
           static_cast<std::int64_t>(running_.size()) < plan_.jobs) {
      const std::size_t r = waiting_.front();
      const SweepRun& run = plan_.runs[r];
      prepare_folder(run);
      running_.push_back(
          {r, ChildProcess(train_arguments(arguments_, plan_, run), run.log()), Clock::now()});
      waiting_.pop_front();
    }
  }

  // A run that was killed before its first checkpoint left nothing to go on from.
  static void prepare_folder(const SweepRun& run) {
    make_folder(run.folder.parent_path());
    if (run.state != RunState::kMissing) return;
    std::error_code error;
    if (!std::filesystem::exists(run.folder / "config.json", error)) return;
    const RunLock lock(run.folder);  // no other sweep is at it
    std::filesystem::remove_all(run.folder, error);
  }

  void collect_ended() {
    for (auto at = running_.begin(); at != running_.end();) {
      const auto end = at->process.ended();
      if (!end) {
        ++at;
        continue;
      }
      settle(*at, *end);
      at = running_.erase(at);
    }
  }

  void settle(const Running& ended, const ProcessEnd& end) {
    SweepRun& run = plan_.runs[ended.run];
    const bool stopped = stop_signal_ != 0 && (end.signal != 0 || end.status > kSignalStatus);
    if (stopped) {
      run.state = RunState::kInterrupted;
      return;
    }
    --left_;
    ++finished_;
    const std::string name = fmt::format("{} seed {}", plan_.configs[run.config].name, run.seed);
    if (end.signal != 0 || end.status != 0) {
      failures_[ended.run] = failure_of(end, run.log());
      notice(fmt::format("{}: failed; {}\n", name, rest()));
      return;
    }
    run.state = RunState::kComplete;
    notice(fmt::format("{}: {}, {:.1f} s; {}\n", name, means(run), seconds_since(ended.start),
                       rest()));
  }

  static std::string means(const SweepRun& run) {
    const Json summary = read_summary(run.folder).value_or(Json::object());
    const auto text = [&summary](const char* key) {
      const Json value = summary.value(key, Json(nullptr));
      return value.is_number() ? fmt::format("{:.1f}", value.get<double>()) : "-";
    };
    return fmt::format("best mean {}, last {}", text("best_mean_50"), text("last_mean_50"));
  }

  // How much is left, and how long that will take if it goes on as it went.
  std::string rest() const {
    if (left_ == 0) return "none left";
    const double each = seconds_since(start_) / static_cast<double>(finished_);
    return fmt::format("{} left, about {}", left_, clock_text(each * static_cast<double>(left_)));
  }

  // The first signal lets the running iterations end, a second one does not.
  void stop(int signal) {
    if (stop_signal_ == 0) {
      notice(fmt::format("stopping {} runs, which save first\n", running_.size()));
    }
    stop_signal_ = signal;
    for (const Running& running : running_) running.process.send(signal);
  }

  int finish() {
    const Json sweep = sweep_json(plan_, failures_, arguments_.out);
    make_folder(arguments_.out);
    write_file(std::filesystem::path(arguments_.out) / "sweep.json", sweep.dump(2) + "\n");
    if (stop_signal_ != 0) {
      notice(fmt::format("stopped by a signal; go on with: {}\n", sweep_command_line(arguments_)));
      return kSignalStatus + stop_signal_;
    }
    fmt::print("{}", sweep_table(sweep));
    for (const auto& [r, sentence] : failures_) {
      const SweepRun& run = plan_.runs[r];
      notice(fmt::format("{} seed {} failed: {}\n", plan_.configs[run.config].name, run.seed,
                         sentence));
    }
    if (failures_.empty()) return 0;
    throw Error(
        fmt::format("{} of {} runs failed; mend what they say and give the same command "
                    "again to make them",
                    failures_.size(), plan_.runs.size()));
  }

  SweepArguments arguments_;
  SweepPlan plan_;
  std::list<std::size_t> waiting_;  // places in plan_.runs
  std::list<Running> running_;
  SweepFailures failures_;
  std::size_t left_ = 0;
  std::size_t finished_ = 0;
  int stop_signal_ = 0;
  Clock::time_point start_ = Clock::now();
};

void run_sweep(const SweepArguments& arguments) {
  Sweep sweep(arguments, plan_sweep(arguments));
  const int status = sweep.run();
  if (status != 0) throw CLI::RuntimeError(status);
}

}  // namespace

void add_sweep_command(CLI::App& app) {
  constexpr std::int64_t kMost = 1024;
  const auto arguments = std::make_shared<SweepArguments>();
  CLI::App* command =
      app.add_subcommand("sweep", "Train every config with every seed, several runs at once");
  command->add_option("CONFIG", arguments->configs, "Configs of the runs, or folders of configs")
      ->required();
  command->add_option("--seeds", arguments->seeds, "Seeds, as in 0-19 or 0-4,7")->required();
  command
      ->add_option("--jobs", arguments->jobs,
                   "Runs at once; default: as many as there are cores, fewer if memory is short")
      ->check(CLI::Range(std::int64_t{1}, kMost));
  command->add_option("--threads", arguments->threads, "Threads of each run; default 1")
      ->check(CLI::Range(std::int64_t{1}, kMost));
  command->add_option("--out", arguments->out,
                      "Folder of the run folders CONFIG/seed-SEED; default runs/sweep");
  add_set_option(*command, arguments->overrides);
  command->footer(
      "Complete runs are skipped and interrupted ones resumed, so the same command goes on.\n"
      "Examples:\n"
      "  lpdm sweep configs/cartpole-*.json --seeds 0-19 --out runs/cartpole\n"
      "  lpdm sweep configs/paper --seeds 0-9 --out runs/paper");
  command->callback([arguments] { run_sweep(*arguments); });
}

}  // namespace lpdm
