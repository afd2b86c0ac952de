#include "render/video_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lpdm/error.h"

namespace lpdm {
namespace {

struct FileType {
  std::string_view ending;
  std::vector<std::string> arguments;  // of ffmpeg
};

const std::vector<FileType>& file_types() {
  static const std::vector<std::string> kH264 = {"-c:v",     "libx264", "-crf",      "18",
                                                 "-pix_fmt", "yuv420p", "-movflags", "+faststart"};
  static const std::vector<FileType> kTypes = {
      {".mp4", kH264},
      {".mov", kH264},
      {".mkv", {"-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p"}},
      {".webm", {"-c:v", "libvpx-vp9", "-crf", "24", "-b:v", "0", "-pix_fmt", "yuv420p"}},
      {".gif", {"-filter_complex", "split[a][b];[a]palettegen[p];[b][p]paletteuse"}}};
  return kTypes;
}

const FileType& file_type(const std::filesystem::path& path) {
  const auto found = std::ranges::find(file_types(), path.extension().string(), &FileType::ending);
  if (found == file_types().end()) {
    std::vector<std::string_view> endings;
    for (const FileType& type : file_types()) endings.push_back(type.ending);
    throw UsageError(fmt::format("the video \"{}\" must have one of the endings {}", path.string(),
                                 fmt::join(endings, ", ")));
  }
  return *found;
}

// Where writing to a process that has ended is an error instead of the end of this one.
class IgnoredPipeSignal {
 public:
  IgnoredPipeSignal() {
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &before_);
  }
  ~IgnoredPipeSignal() { sigaction(SIGPIPE, &before_, nullptr); }
  IgnoredPipeSignal(const IgnoredPipeSignal&) = delete;
  IgnoredPipeSignal& operator=(const IgnoredPipeSignal&) = delete;

 private:
  struct sigaction before_ = {};
};

// What ffmpeg does in its process before it starts: reads from one descriptor, speaks to another.
class SpawnActions {
 public:
  SpawnActions(int input, int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
  }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

// The last line of a file that is not empty.
std::string last_line(std::FILE* file) {
  std::rewind(file);
  std::string line, last;
  for (int letter = 0; (letter = std::fgetc(file)) != EOF;) {
    if (letter != '\n') {
      line.push_back(static_cast<char>(letter));
      continue;
    }
    if (!line.empty()) last = line;
    line.clear();
  }
  return line.empty() ? last : line;
}

}  // namespace

VideoWriter::VideoWriter(std::filesystem::path path, const VideoFormat& format)
    : path_(std::move(path)),
      temporary_(path_.parent_path() /
                 fmt::format(".lpdm-{}-{}", ::getpid(), path_.filename().string())),
      messages_(std::tmpfile()) {
  if (format.width % 2 != 0 || format.height % 2 != 0) {
    throw UsageError(fmt::format("the size {}x{} of a video must be even in both directions",
                                 format.width, format.height));
  }
  file_type(path_);
  if (std::filesystem::is_directory(path_)) throw_io_error("create", path_, EISDIR);
  const Descriptor writable(
      ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kNewFileMode));
  if (writable.get() < 0) throw_io_error("create", path_, errno);
  if (!messages_) throw_io_error("create", "a temporary file for ffmpeg's messages", errno);
  try {
    start(format);
  } catch (...) {
    remove();
    throw;
  }
}

VideoWriter::~VideoWriter() {
  if (process_ > 0) {
    ::kill(process_, SIGTERM);
    wait();
  }
  if (!finished_) remove();
}

void VideoWriter::remove() const {
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void VideoWriter::start(const VideoFormat& format) {
  std::vector<std::string> words = {"ffmpeg",     "-hide_banner",
                                    "-nostdin",   "-loglevel",
                                    "error",      "-y",
                                    "-f",         "rawvideo",
                                    "-pix_fmt",   "rgb24",
                                    "-s",         fmt::format("{}x{}", format.width, format.height),
                                    "-framerate", fmt::format("{:.9g}", format.fps),
                                    "-i",         "pipe:0",
                                    "-an"};
  const FileType& type = file_type(path_);
  words.insert(words.end(), type.arguments.begin(), type.arguments.end());
  words.push_back("file:" + temporary_.string());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw_io_error("create", "a pipe to ffmpeg", errno);
  const Descriptor reading_end(pipe[0]);
  frames_ = std::make_unique<Descriptor>(pipe[1]);
  const SpawnActions actions(reading_end.get(), ::fileno(messages_.get()));
  const int code = ::posix_spawnp(&process_, arguments.front(), actions.get(), nullptr,
                                  arguments.data(), environ);
  if (code == 0) return;
  process_ = -1;
  if (code == ENOENT) {
    throw Error("there is no program ffmpeg, which encodes videos: install ffmpeg");
  }
  throw_io_error("start", "ffmpeg", code);
}

int VideoWriter::wait() {
  int status = 0;
  frames_.reset();
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  return status;
}

void VideoWriter::fail(int status) {
  const std::string said = last_line(messages_.get());
  throw IoError(fmt::format("ffmpeg could not write the video \"{}\": {}", path_.string(),
                            said.empty() ? fmt::format("it ended with status {}", status) : said));
}

void VideoWriter::add(std::span<const std::uint8_t> rgb) {
  const IgnoredPipeSignal ignored;
  const std::string_view bytes(reinterpret_cast<const char*>(rgb.data()), rgb.size());
  if (write_all(frames_->get(), bytes) != 0) fail(wait());
}

void VideoWriter::finish() {
  if (const int status = wait(); status != 0) fail(status);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw_io_error("write", path_, errno);
  finished_ = true;
}

}  // namespace lpdm
