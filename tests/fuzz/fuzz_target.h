// What every fuzz target asks of a reader: a value, or a UsageError of one line; nothing else.
#pragma once

#include <cstdlib>
#include <string_view>

#include "lpdm/error.h"

namespace lpdm {

// Ends the process, which libFuzzer reports with the input.
inline void require(bool held) {
  if (!held) std::abort();
}

template <class Read>
void accept_or_refuse(Read&& read) {
  try {
    read();
  } catch (const UsageError& error) {
    const std::string_view sentence = error.what();
    require(!sentence.empty() && sentence.find('\n') == std::string_view::npos);
  }
}

}  // namespace lpdm
