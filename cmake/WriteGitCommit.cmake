# Run at build time: writes OUTPUT, a header with the commit of the source tree SOURCE_DIR, marked
# -dirty when files differ from it, or "unknown" where SOURCE_DIR is not the top of a git checkout.
# The header is touched only when its contents change.
cmake_policy(VERSION 3.25)

set(commit "unknown")
find_program(git_program git)
if(git_program)
  execute_process(COMMAND "${git_program}" -C "${SOURCE_DIR}" rev-parse --show-prefix
    OUTPUT_VARIABLE prefix RESULT_VARIABLE outside ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT outside AND prefix STREQUAL "")
    execute_process(
      COMMAND "${git_program}" -C "${SOURCE_DIR}" describe --always --dirty --abbrev=40 --exclude=*
      OUTPUT_VARIABLE described RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT failed)
      set(commit "${described}")
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT
  "#pragma once\n\nnamespace lpdm {\n\ninline constexpr const char* kGitCommit = \"${commit}\";\n\n}\n")
