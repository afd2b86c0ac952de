// A video file, encoded by the program ffmpeg frame by frame.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>

#include "io/descriptor.h"

namespace lpdm {

struct VideoFormat {
  int width = 0;     // [pixels], even
  int height = 0;    // [pixels], even
  double fps = 0.0;  // frames per second
};

// Owns the encoding process. One thread. The file has its name when finish() returns; until then,
// and if anything fails, what had that name before stays.
class VideoWriter {
 public:
  // The ending of `path` chooses the format: .mp4, .mkv, .mov, .webm or .gif. Throws UsageError for
  // another ending or an odd size, and Error if there is no ffmpeg.
  VideoWriter(std::filesystem::path path, const VideoFormat& format);
  ~VideoWriter();
  VideoWriter(const VideoWriter&) = delete;
  VideoWriter& operator=(const VideoWriter&) = delete;

  // rgb: (height, width, 3), the top row first. Throws IoError with what ffmpeg says.
  void add(std::span<const std::uint8_t> rgb);
  // Waits until the file is complete. Throws IoError with what ffmpeg says if it is not.
  void finish();

 private:
  struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void start(const VideoFormat& format);
  void remove() const;
  int wait();
  [[noreturn]] void fail(int status);

  std::filesystem::path path_;
  std::filesystem::path temporary_;                  // what ffmpeg writes
  std::unique_ptr<std::FILE, FileCloser> messages_;  // what ffmpeg says
  std::unique_ptr<Descriptor> frames_;               // the way to ffmpeg
  pid_t process_ = -1;                               // -1: it has ended
  bool finished_ = false;
};

}  // namespace lpdm
