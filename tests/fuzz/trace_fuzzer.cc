// Any text as a recorded episode: it is refused with one sentence, or read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "env/trace.h"
#include "fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  lpdm::accept_or_refuse([&] {
    const lpdm::Trace trace = lpdm::parse_trace(text, "trace.json");
    lpdm::require(!trace.source.empty());
  });
  return 0;
}
