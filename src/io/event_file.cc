#include "io/event_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

#include "io/event_record.h"
#include "io/files.h"
#include "io/protobuf_writer.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "events.out.tfevents.";  // what TensorBoard looks for

// Field numbers of TensorBoard's messages Event, SessionLog, Summary, Summary.Value,
// HistogramProto.
namespace event {
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace session {
constexpr int kStatus = 1;
constexpr std::int64_t kStart = 1;
}  // namespace session
namespace summary {
constexpr int kValue = 1;
}
namespace value {
constexpr int kTag = 1, kSimpleValue = 2, kHistogram = 5;
}
namespace histogram {
constexpr int kMin = 1, kMax = 2, kCount = 3, kSum = 4, kSumSquares = 5, kLimits = 6, kCounts = 7;
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

ProtobufWriter begin_event(std::int64_t step) {
  ProtobufWriter writer;
  writer.add_double(event::kWallTime, seconds_since_1970());
  writer.add_integer(event::kStep, step);
  return writer;
}

ProtobufWriter histogram_message(const Histogram& histogram) {
  ProtobufWriter message;
  message.add_double(histogram::kMin, histogram.min);
  message.add_double(histogram::kMax, histogram.max);
  message.add_double(histogram::kCount, static_cast<double>(histogram.count));
  message.add_double(histogram::kSum, histogram.sum);
  message.add_double(histogram::kSumSquares, histogram.sum_squares);
  message.add_doubles(histogram::kLimits, histogram.limits);
  message.add_doubles(histogram::kCounts, histogram.counts);
  return message;
}

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with(kPrefix)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// The step of a message that begin_event began; 0 for one that names none.
std::int64_t step_of(std::string_view data) {
  constexpr std::size_t kStepPlace = 9;  // after wall time, a tag and eight bytes
  constexpr char kStepTag = event::kStep << 3;
  if (data.size() <= kStepPlace || data[kStepPlace] != kStepTag) return 0;
  std::uint64_t step = 0;
  int shift = 0;
  for (const char byte : data.substr(kStepPlace + 1)) {
    step |= std::uint64_t{static_cast<unsigned char>(byte) & 0x7fU} << shift;
    shift += 7;
    if ((byte & 0x80) == 0 || shift > 56) break;
  }
  return static_cast<std::int64_t>(step);
}

// Where the records up to `step` end.
std::size_t end_of_steps(std::string_view bytes, std::int64_t step) {
  std::size_t end = 0;
  while (const auto data = decode_record(bytes.substr(end))) {
    if (step_of(*data) > step) break;
    end += kRecordFrame + data->size();
  }
  return end;
}

// The next name in TensorBoard's order of files, which is that of their names.
fs::path new_file(const fs::path& folder) {
  const std::vector<fs::path> earlier = event_files(folder);
  auto seconds = static_cast<std::int64_t>(seconds_since_1970());
  const auto name = [&] { return folder / fmt::format("{}{:010}.lpdm", kPrefix, seconds); };
  while (!earlier.empty() && name() <= earlier.back()) ++seconds;
  return name();
}

}  // namespace

EventFile::EventFile(const fs::path& folder, std::int64_t first_step)
    : file_(new_file(folder), AppendFile::Open::kNew) {
  ProtobufWriter version;
  version.add_double(event::kWallTime, seconds_since_1970());
  version.add_bytes(event::kFileVersion, "brain.Event:2");
  ProtobufWriter start;
  start.add_integer(session::kStatus, session::kStart);
  ProtobufWriter session_log = begin_event(first_step);
  session_log.add_message(event::kSessionLog, start);
  file_.append(encode_record(version.bytes()) + encode_record(session_log.bytes()));
}

void EventFile::append(std::int64_t step, const StepEvents& events) {
  ProtobufWriter summary;
  for (const auto& [tag, number] : events.scalars) {
    ProtobufWriter entry;
    entry.add_bytes(value::kTag, tag);
    entry.add_float(value::kSimpleValue, static_cast<float>(number));
    summary.add_message(summary::kValue, entry);
  }
  for (const auto& [tag, histogram] : events.histograms) {
    ProtobufWriter entry;
    entry.add_bytes(value::kTag, tag);
    entry.add_message(value::kHistogram, histogram_message(histogram));
    summary.add_message(summary::kValue, entry);
  }
  ProtobufWriter event = begin_event(step);
  event.add_message(event::kSummary, summary);
  file_.append(encode_record(event.bytes()));
}

void keep_events(const fs::path& folder, std::int64_t step) {
  constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 32;
  for (const fs::path& file : event_files(folder)) {
    const std::string bytes = read_file(file, "event file", kMaxBytes);
    const std::size_t end = end_of_steps(bytes, step);
    if (end == bytes.size()) continue;
    std::error_code error;
    fs::resize_file(file, end, error);
    if (error) throw_io_error("shorten", file, error.value());
  }
}

}  // namespace lpdm
