// What a command says to the person at stderr.
#pragma once

#include <cstdio>
#include <string>

namespace lpdm {

// Never fails: a stderr on a full disk must not end a run or hide its exit status.
inline void notice(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace lpdm
