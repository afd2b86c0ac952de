// Runs the program as a shell would, and looks at what came of it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <string>

#include "io/temporary_folder.h"

namespace lpdm {

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

// Runs the program with `arguments` as a shell would read them, its stdout captured or in `output`.
inline Outcome run_program(const std::string& arguments, const std::string& output = "") {
  const TemporaryFolder folder;
  const std::string out = output.empty() ? (folder / "out").string() : output;
  const std::string err = (folder / "err").string();
  const std::string command =
      fmt::format("'{}' {} >'{}' 2>'{}'", LPDM_PROGRAM, arguments, out, err);
  const int result = ::system(command.c_str());
  return {WIFEXITED(result) ? WEXITSTATUS(result) : -1, output.empty() ? file_text(out) : "",
          file_text(err)};
}

inline void expect_error(const std::string& arguments, int status, const std::string& part) {
  SCOPED_TRACE(arguments);
  const Outcome outcome = run_program(arguments);
  EXPECT_EQ(outcome.status, status);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("lpdm: ")) << outcome.err;
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
  EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
}

}  // namespace lpdm
