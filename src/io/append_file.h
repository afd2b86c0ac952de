// A file that grows by whole records, so that what was saved stays readable whatever happens next.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "io/descriptor.h"

namespace lpdm {

// Owns the open file. One thread at a time; each record is handed to the system at once.
class AppendFile {
 public:
  enum class Open { kNew, kExisting };

  // kNew: throws UsageError if the file exists. kExisting: goes on after its last complete line,
  // dropping what an interrupted run left of another. Both throw IoError if the system refuses.
  AppendFile(std::filesystem::path path, Open mode);

  // Appends `record` whole: on a failure (IoError) what was written of it is taken back.
  void append(std::string_view record);
  // Waits until the disk has what was appended. Throws IoError.
  void sync();

 private:
  std::filesystem::path path_;
  Descriptor file_;
  std::int64_t size_ = 0;  // [bytes] of complete records
};

}  // namespace lpdm
