// `lpdm profile`: what each op of a run's iterations takes on its device.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "commands.h"
#include "core/cuda_library.h"
#include "core/profiled_backend.h"
#include "io/json_text.h"
#include "lpdm/config.h"
#include "lpdm/trainer.h"

namespace lpdm {
namespace {

struct ProfileArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::int64_t iterations = 5;
  bool json = false;
};

struct ProfileResult {
  std::string device;
  double lane_rate = 0.0;  // [1/s]; 0: unknown
  double update_seconds = 0.0;
  std::vector<OpProfile> ops;  // per iteration, but for the calls
};

void divide(OpProfile& op, double count) {
  op.seconds /= count;
  op.work.bytes /= count;
  op.work.instructions /= count;
}

// Two iterations warm up: in the second one scratch memory finds its place.
ProfileResult measure(const ProfileArguments& arguments) {
  Config config = load_config(arguments.config, arguments.overrides);
  config.run.diagnostics_every = 0;
  Profile profile;
  Trainer trainer(config, [&](ThreadPool& pool) {
    return make_profiled_backend(make_backend(config.run.device, pool, backend_options(config)),
                                 profile);
  });
  constexpr int kUnmeasured = 2;
  for (int i = 0; i < kUnmeasured; ++i) trainer.iterate();
  profile.clear();
  ProfileResult result;
  result.device = trainer.backend().description();
  if (trainer.backend().name() == "cuda") result.lane_rate = cuda_library().lane_rate;
  const auto count = static_cast<double>(arguments.iterations);
  for (std::int64_t i = 0; i < arguments.iterations; ++i) {
    result.update_seconds += trainer.iterate().update_seconds / count;
  }
  result.ops = profile.ops();
  for (OpProfile& op : result.ops) {
    divide(op, count);
    for (OpProfile& stage : op.stages) divide(stage, count);
  }
  std::ranges::sort(result.ops, std::greater<>(), &OpProfile::seconds);
  return result;
}

Json to_json(const ProfileResult& result, const OpProfile& op, std::int64_t iterations) {
  const double rate = op.work.instructions / op.seconds;
  Json json = {{"op", op.name},
               {"calls", static_cast<double>(op.calls) / static_cast<double>(iterations)},
               {"seconds", op.seconds},
               {"bytes", op.work.bytes},
               {"bytes_per_s", op.work.bytes / op.seconds},
               {"instructions", op.work.instructions},
               {"instructions_per_s", rate},
               {"share_of_limit", result.lane_rate > 0.0 && op.work.instructions > 0.0
                                      ? Json(rate / result.lane_rate)
                                      : Json()}};
  for (const OpProfile& stage : op.stages) {
    json["stages"].push_back(to_json(result, stage, iterations));
  }
  return json;
}

Json to_json(const ProfileResult& result, std::int64_t iterations) {
  Json ops = Json::array();
  for (const OpProfile& op : result.ops) ops.push_back(to_json(result, op, iterations));
  return {{"device", result.device},
          {"lane_rate", result.lane_rate > 0.0 ? Json(result.lane_rate) : Json()},
          {"update_s", result.update_seconds},
          {"ops", ops}};
}

// A number with its unit, or a dash where there is none.
std::string cell(double value, const char* format) {
  return value > 0.0 ? fmt::format(fmt::runtime(format), value) : "-";
}

void print_row(const ProfileResult& result, const OpProfile& op, const std::string& name,
               double total, std::int64_t iterations) {
  const double rate = op.work.instructions / op.seconds;
  fmt::print("{:<24} {:>7.1f} {:>11.4f} {:>6.1f}% {:>9} {:>9} {:>9}\n", name,
             static_cast<double>(op.calls) / static_cast<double>(iterations), op.seconds * 1e3,
             100.0 * op.seconds / total, cell(op.work.bytes / op.seconds / 1e9, "{:.2f}"),
             cell(rate / 1e9, "{:.2f}"),
             result.lane_rate > 0.0 ? cell(100.0 * rate / result.lane_rate, "{:.1f}%") : "-");
}

void print(const ProfileResult& result, std::int64_t iterations) {
  fmt::print("per iteration on {}, ops one by one\n", result.device);
  fmt::print("{:<24} {:>7} {:>11} {:>7} {:>9} {:>9} {:>9}\n", "op", "calls", "time [ms]", "share",
             "GB/s", "Ginstr/s", "of limit");
  double total = 0.0;
  for (const OpProfile& op : result.ops) total += op.seconds;
  for (const OpProfile& op : result.ops) {
    print_row(result, op, op.name, total, iterations);
    for (const OpProfile& stage : op.stages) {
      print_row(result, stage, "  " + stage.name, total, iterations);
    }
  }
  fmt::print("{:<24} {:>7} {:>11.4f}\n", "all ops", "", total * 1e3);
}

void run_profile(const ProfileArguments& arguments) {
  const ProfileResult result = measure(arguments);
  if (arguments.json) {
    fmt::print("{}\n", to_json(result, arguments.iterations).dump());
  } else {
    print(result, arguments.iterations);
  }
}

}  // namespace

void add_profile_command(CLI::App& app) {
  const auto arguments = std::make_shared<ProfileArguments>();
  CLI::App* command = app.add_subcommand(
      "profile", "Measure the ops of a run's iterations: time, bytes, instruction rate");
  command->add_option("CONFIG", arguments->config, "Config file of the run")->required();
  add_set_option(*command, arguments->overrides);
  command->add_option("--iterations", arguments->iterations, "Iterations to measure")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30))
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Print one JSON object; times in seconds");
  command->footer(
      "Ops are run one by one; bytes and instructions are what each has to move and do at least.\n"
      "Example:\n  lpdm profile configs/hopper-lpdm.json --set run.device=cuda");
  command->callback([arguments] { run_profile(*arguments); });
}

}  // namespace lpdm
