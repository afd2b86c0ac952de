// Times each op of a backend: ops [--device cpu|cuda] [--threads T], and Google Benchmark's
// options.
//
//   ops --benchmark_filter=local_loss --benchmark_out=ops.json --benchmark_out_format=json
//
// The output records device, threads, compiler and SIMD level. "spread" is (largest − smallest) /
// median of five repetitions, "deviation" how far the checked result was from float64.
#include <benchmark/benchmark.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "core/build_info.h"
#include "lpdm/error.h"
#include "op_bench.h"

namespace lpdm::bench {
namespace {

struct Options {
  std::string device = "cpu";
  int threads = 1;
};

// Takes our options out of the command line and leaves the rest to Google Benchmark.
Options parse_options(CLI::App& app, int argc, char** argv) {
  Options options;
  app.add_option("--device", options.device, "cpu or cuda");
  app.add_option("--threads", options.threads, "threads of the CPU backend");
  app.allow_extras();
  app.parse(argc, argv);
  return options;
}

int measure(const Options& options, std::vector<std::string> rest) {
  rest.insert(rest.begin(), "ops");
  std::vector<char*> arguments;
  for (std::string& argument : rest) arguments.push_back(argument.data());
  auto count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  ThreadPool pool(options.threads);
  const std::unique_ptr<Backend> backend = make_backend(options.device, pool);
  benchmark::AddCustomContext("device", backend->description());
  benchmark::AddCustomContext("threads", std::to_string(options.threads));
  const BuildInfo build = build_info();
  benchmark::AddCustomContext("commit", build.commit);
  benchmark::AddCustomContext("compiler", build.compiler);
  benchmark::AddCustomContext("simd", build.simd);
  benchmark::AddCustomContext("openblas", build.openblas);
  const Device device{*backend};
  add_dense(device);
  add_local_loss(device);
  add_learning(device);
  add_inference(device);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace
}  // namespace lpdm::bench

int main(int argc, char** argv) {
  CLI::App app("Times each op of a backend; other options are Google Benchmark's", "ops");
  try {
    const lpdm::bench::Options options = lpdm::bench::parse_options(app, argc, argv);
    return lpdm::bench::measure(options, app.remaining());
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const lpdm::UsageError& error) {
    std::fprintf(stderr, "ops: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ops: %s\n", error.what());
    return 1;
  }
}
