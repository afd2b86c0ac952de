// `lpdm export`: a trained policy as a file for other programs.
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <memory>

#include "commands.h"
#include "export/formats.h"
#include "io/files.h"
#include "saved_run.h"

namespace lpdm {
namespace {

struct Format {
  const char* name;
  const char* file;  // in the run folder, unless --out says otherwise
  std::string (*write)(const PolicySnapshot&);
};

constexpr std::array<Format, 3> kFormats = {{{"onnx", "policy.onnx", export_onnx},
                                             {"safetensors", "policy.safetensors",
                                              [](const PolicySnapshot& snapshot) {
                                                return encode_safetensors(
                                                    export_safetensors(snapshot));
                                              }},
                                             {"header", "policy.h", export_c_header}}};

struct ExportArguments {
  SavedRunArguments saved;
  std::string format;
  std::string out;
};

void run_export(const ExportArguments& arguments) {
  const Format& format = *std::ranges::find(kFormats, arguments.format, &Format::name);
  const std::filesystem::path out = arguments.out.empty()
                                        ? std::filesystem::path(arguments.saved.run) / format.file
                                        : std::filesystem::path(arguments.out);
  const std::unique_ptr<Trainer> trainer = load_saved_run(arguments.saved);
  const std::string bytes = format.write(take_snapshot(*trainer));
  write_file(out, bytes);
  fmt::print("{}: {} bytes, the policy after {} iterations\n", out.string(), bytes.size(),
             trainer->progress().iteration);
}

}  // namespace

void add_export_command(CLI::App& app) {
  const auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command = app.add_subcommand(
      "export", "Write a trained policy as a file for other programs (docs/export.md)");
  add_saved_run_options(*command, arguments->saved);
  std::vector<std::string> names;
  for (const Format& format : kFormats) names.emplace_back(format.name);
  command->add_option("--format", arguments->format, "onnx, safetensors, or header for one in C99")
      ->required()
      ->check(CLI::IsMember(names));
  command->add_option("--out", arguments->out,
                      "File to write; default policy.onnx, policy.safetensors or policy.h in RUN");
  command->footer(
      "Examples:\n"
      "  lpdm export runs/cartpole --format onnx\n"
      "  lpdm export runs/cartpole --best --format header --out policy.h");
  command->callback([arguments] { run_export(*arguments); });
}

}  // namespace lpdm
