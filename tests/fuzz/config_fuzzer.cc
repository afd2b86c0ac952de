// Any text as a config: it is refused with one sentence, or read and written back unchanged.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/fuzz_target.h"
#include "lpdm/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  lpdm::accept_or_refuse([&] {
    const lpdm::Config config = lpdm::parse_config(text);
    lpdm::require(lpdm::parse_config(lpdm::dump_config(config)) == config);
  });
  return 0;
}
