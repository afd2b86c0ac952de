#include "io/descriptor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

#include "lpdm/error.h"

namespace lpdm {

Descriptor::~Descriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int Descriptor::close() { return ::close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno; }

int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

std::string system_message(int code) { return std::generic_category().message(code); }

void throw_io_error(const std::string& action, const std::filesystem::path& path, int code) {
  throw IoError(fmt::format("cannot {} \"{}\": {}", action, path.string(), system_message(code)));
}

}  // namespace lpdm
