# What every target of this project is compiled with, and nothing that a dependency sees.
add_library(lpdm_build_options INTERFACE)
target_compile_options(lpdm_build_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic>
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>)  # nvcc's own output is not pedantic C++
if(LPDM_WARNINGS_AS_ERRORS)
  target_compile_options(lpdm_build_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Werror>
    $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xcompiler=-Werror>)
endif()
if(LPDM_SANITIZE)
  target_compile_options(lpdm_build_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${LPDM_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>)
  target_link_options(lpdm_build_options INTERFACE -fsanitize=${LPDM_SANITIZE})
endif()
