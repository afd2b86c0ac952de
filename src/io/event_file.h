// TensorBoard's event files: scalars and histograms by name and step.
//
// A file is a row of records, each with its length and checksums, and holds the steps of one call
// of the program. A resumed run begins another file, after keep_events has cut what the checkpoint
// does not know off the earlier ones, so that every step is there once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "io/append_file.h"
#include "io/histogram.h"

namespace lpdm {

// What is to be seen of one step.
struct StepEvents {
  std::vector<std::pair<std::string, double>> scalars;
  std::vector<std::pair<std::string, Histogram>> histograms;
};

// Owns the open file. One thread at a time; each step is handed to the system at once.
class EventFile {
 public:
  // Begins a new file in `folder`, beside those that are there; `first_step` tells a TensorBoard
  // that is watching to forget what it has seen from there on. Throws IoError.
  EventFile(const std::filesystem::path& folder, std::int64_t first_step);

  // Throws IoError; the steps before stay.
  void append(std::int64_t step, const StepEvents& events);

 private:
  AppendFile file_;
};

// Cuts all event files of `folder` off after `step`, and where a record is damaged. Throws IoError
// if one cannot be cut.
void keep_events(const std::filesystem::path& folder, std::int64_t step);

}  // namespace lpdm
