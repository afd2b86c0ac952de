// `lpdm train`: runs a config to its end and leaves a folder with everything
// about the run.
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>

#include "commands.h"
#include "core/available_memory.h"
#include "held_signals.h"
#include "io/checkpoint.h"
#include "io/checkpoint_store.h"
#include "io/event_file.h"
#include "io/run_events.h"
#include "io/run_folder.h"
#include "io/run_lock.h"
#include "io/run_metrics.h"
#include "io/transfer.h"
#include "lpdm/config.h"
#include "lpdm/error.h"
#include "lpdm/memory_plan.h"
#include "lpdm/trainer.h"
#include "notice.h"
#include "progress.h"

namespace lpdm {
namespace {

struct TrainArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::optional<std::string> seed;
  std::optional<std::string> device;
  std::optional<std::string> threads;
  std::string out;
  bool resume = false;
  std::optional<std::string> init_from;
  bool freeze_hidden = false;
};

// The signal that asked the run to stop; 0: none. A handler can reach nothing
// else.
volatile std::sig_atomic_t stop_signal = 0;

extern "C" void request_stop(int signal) { stop_signal = signal; }

// Lets the running iteration end on a signal that asks for it; a second one ends the program at
// once. A run outlives those who read its messages.
void install_stop_handlers() {
  struct sigaction action = {};
  action.sa_handler = request_stop;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  for (const int signal : ending_signals()) sigaction(signal, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::filesystem::path default_out(const std::string& config_path, const Config& config) {
  return std::filesystem::path("runs") /
         fmt::format("{}-seed{}", std::filesystem::path(config_path).stem().string(),
                     config.run.seed);
}

Config resolve_config(const TrainArguments& arguments) {
  std::vector<std::string> overrides = arguments.overrides;
  const auto add = [&overrides](const char* key, const std::optional<std::string>& value) {
    if (value) overrides.push_back(fmt::format("{}={}", key, *value));
  };
  add("run.seed", arguments.seed);
  add("run.device", arguments.device);
  add("run.threads", arguments.threads);
  // A path is a string, whatever it looks like.
  if (arguments.init_from) {
    overrides.push_back("network.init_from=" + Json(*arguments.init_from).dump());
  }
  if (arguments.freeze_hidden) overrides.emplace_back("hidden.method=frozen");
  if (!arguments.config.empty()) return load_config(arguments.config, overrides);
  if (arguments.resume && !arguments.out.empty()) {
    return RunFolder::load_config(arguments.out, overrides);
  }
  throw UsageError(
      "train needs a config, or --resume with the --out of the "
      "run to go on with");
}

void check_same_run(const Config& before, const Config& now, const std::filesystem::path& out) {
  if (!may_continue(before, now)) {
    throw UsageError(
        fmt::format("--resume: the config differs from {}; only "
                    "run.iterations, run.device, run.threads, run.log_every, "
                    "run.checkpoint_every, run.keep_checkpoints, "
                    "run.tensorboard and run.stop_return may "
                    "change, choose another --out for a new run",
                    (out / "config.json").string()));
  }
}

class TrainRun {
 public:
  TrainRun(const TrainArguments& arguments, const Config& config)
      : trainer_(config),
        out_(arguments.out.empty() ? default_out(arguments.config, config)
                                   : std::filesystem::path(arguments.out)) {
    if (arguments.resume) {
      check_same_run(RunFolder::load_config(out_), config, out_);
      lock_.emplace(out_);
    }
    if (arguments.resume && has_checkpoint(out_)) {
      restore();
    } else if (const std::string& source = config.network.init_from; !source.empty()) {
      notice(transfer_layers(source, config, trainer_.network()).text() + "\n");
    }
    const std::int64_t done = trainer_.progress().iteration;
    check_not_beyond(done);
    if (arguments.resume) {
      add_earlier(RunFolder::keep_metrics(out_, done));
      keep_events(out_, done);
    }
    folder_.emplace(out_, arguments.resume ? RunFolder::Start::kResume : RunFolder::Start::kNew);
    if (!lock_) lock_.emplace(out_);
    checkpoints_.emplace(out_, config.run.keep_checkpoints, trainer_.progress().iteration);
    folder_->write_config(config);
    folder_->add_provenance(provenance_json(trainer_));
    if (config.run.tensorboard) events_.emplace(out_, trainer_.progress().iteration + 1);
  }

  // Returns the exit status.
  int run() {
    const RunConfig& config = trainer_.config().run;
    const std::int64_t done = trainer_.progress().iteration;
    ProgressLine progress(config.iterations, done, config.log_every);
    notice(fmt::format("{} on {}, run folder {}\n", trainer_.environment().id,
                       trainer_.backend().description(), out_.string()));
    while (trainer_.progress().iteration < config.iterations && !return_reached() &&
           stop_signal == 0) {
      const IterationMetrics metrics = trainer_.iterate();
      record(metrics);
      summary_.add(metrics);
      progress.show(metrics, summary_.returns());
      if (config.checkpoint_every > 0 && metrics.iteration % config.checkpoint_every == 0) {
        save_checkpoint();
      }
    }
    progress.finish();
    save();
    if (stop_signal == 0) return 0;
    constexpr int kSignalStatus = 128;
    notice(fmt::format("stopped by a signal; go on with: lpdm train --resume --out {}\n",
                       out_.string()));
    return kSignalStatus + stop_signal;
  }

 private:
  void record(const IterationMetrics& metrics) {
    const Json line = metrics_json(metrics, trainer_.network().hidden().size());
    folder_->append_metrics(line);
    if (events_) events_->append(metrics.iteration, run_events(line, metrics, trainer_.config()));
  }

  void restore() {
    const FoundCheckpoint found = find_checkpoint(out_);
    for (const std::string& sentence : found.damaged) {
      notice(fmt::format("warning: {}; going on with {}\n", sentence, found.path.string()));
    }
    restore_checkpoint(found.file, found.path.string(), RestoreFor::kTraining, trainer_);
  }

  // Nothing takes iterations back.
  void check_not_beyond(std::int64_t done) const {
    const std::int64_t wanted = trainer_.config().run.iterations;
    if (done <= wanted) return;
    throw UsageError(fmt::format(
        "--resume: run.iterations is {}, but the run in \"{}\" has made {} already; ask "
        "for at least as many, or choose another --out for a new run",
        wanted, out_.string(), done));
  }

  void save_checkpoint() {
    const MovingReturn& returns = summary_.returns();
    folder_->sync();  // a checkpoint is of no use without the metrics before it
    checkpoints_->save(trainer_, returns.full() ? std::optional(returns.latest()) : std::nullopt);
  }

  void add_earlier(const std::vector<Json>& lines) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
      try {
        summary_.add_earlier(lines[i]);
      } catch (const Json::exception&) {
        throw UsageError(
            fmt::format("{}: line {} is not a line of metrics; mend or remove the file's "
                        "damage, or start a new run with another --out",
                        (out_ / "metrics.jsonl").string(), i + 1));
      }
    }
  }

  bool return_reached() const {
    const std::optional<double>& wanted = trainer_.config().run.stop_return;
    const MovingReturn& returns = summary_.returns();
    return wanted && returns.full() && returns.latest() >= *wanted;
  }

  void save() {
    save_checkpoint();
    const double seconds =
        summary_.earlier_seconds() +
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    folder_->write_summary(summary_.json(trainer_, seconds));
    const MovingReturn& returns = summary_.returns();
    if (returns.best()) {
      fmt::print(
          "best mean return of 50 iterations {:.1f} (at {}), last "
          "{:.1f}; {} steps in {:.1f} s\n",
          *returns.best(), returns.best_iteration(), returns.latest(),
          trainer_.progress().env_steps, seconds);
    }
  }

  Trainer trainer_;
  std::filesystem::path out_;
  std::optional<RunFolder> folder_;
  std::optional<RunLock> lock_;
  std::optional<CheckpointStore> checkpoints_;
  std::optional<EventFile> events_;  // none: run.tensorboard is off
  RunSummary summary_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void run_train(const TrainArguments& arguments) {
  const Config config = resolve_config(arguments);
  if (arguments.freeze_hidden && config.network.init_from.empty()) {
    throw UsageError(
        "--freeze hidden keeps the layers that --init-from "
        "brings; give --init-from RUN too, or "
        "--set hidden.method=frozen for random ones");
  }
  const MemoryPlan memory = plan_memory(config);
  if (const auto available = available_memory()) require_memory(memory, *available);
  TrainRun run(arguments, config);
  install_stop_handlers();
  notice(fmt::format("memory: {}\n", memory.text()));
  const int status = run.run();
  if (status != 0) throw CLI::RuntimeError(status);
}

}  // namespace

void add_train_command(CLI::App& app) {
  const auto arguments = std::make_shared<TrainArguments>();
  CLI::App* command =
      app.add_subcommand("train", "Train a policy and keep everything about the run");
  command->add_option("CONFIG", arguments->config, "Config of the run");
  add_set_option(*command, arguments->overrides);
  command->add_option("--seed", arguments->seed, "Same as --set run.seed=SEED");
  command->add_option("--device", arguments->device, "Same as --set run.device=auto|cpu|cuda");
  command->add_option("--threads", arguments->threads, "Same as --set run.threads=T");
  command->add_option("--out", arguments->out, "Run folder; default runs/<config>-seed<seed>");
  command->add_flag("--resume", arguments->resume, "Go on with the run in the run folder");
  command->add_option("--init-from", arguments->init_from,
                      "Start with the layers of this run, where they fit; same as --set "
                      "network.init_from=RUN");
  command
      ->add_option_function<std::string>(
          "--freeze", [arguments](const std::string&) { arguments->freeze_hidden = true; },
          "hidden: train only the head on the layers of --init-from; same as "
          "--set "
          "hidden.method=frozen")
      ->check(CLI::IsMember({"hidden"}));
  command->footer(
      "Examples:\n"
      "  lpdm train configs/cartpole-lpdm.json --seed 1 --out runs/cartpole\n"
      "  lpdm train --resume --out runs/cartpole --set run.iterations=3000");
  command->callback([arguments] { run_train(*arguments); });
}

}  // namespace lpdm
