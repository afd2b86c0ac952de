# What `cmake --install` copies and `cpack` packs: the program, the library lpdm::lpdm with its
# headers, and what both need at run time. Nothing in it knows where it was built: the program and
# the package find everything relative to themselves.
include(CMakePackageConfigHelpers)

set(LPDM_PRIVATE_LIBDIR lib/lpdm)  # libraries that belong to lpdm alone
set(LPDM_DATADIR share/lpdm)
set(LPDM_DOCDIR share/doc/lpdm)

set_target_properties(lpdm_cli PROPERTIES INSTALL_RPATH "$ORIGIN/../${LPDM_PRIVATE_LIBDIR}")
install(TARGETS lpdm_cli RUNTIME DESTINATION bin)
install(TARGETS lpdm EXPORT lpdmTargets ARCHIVE DESTINATION lib)
install(DIRECTORY include/lpdm DESTINATION include)
install(FILES "$<TARGET_FILE:mujoco::mujoco>" "$<TARGET_FILE:OpenBLAS::OpenBLAS>"
  DESTINATION "${LPDM_PRIVATE_LIBDIR}")
if(TARGET lpdm_cuda)
  install(TARGETS lpdm_cuda LIBRARY DESTINATION lib)  # where the program looks for it
endif()

install(EXPORT lpdmTargets NAMESPACE lpdm:: DESTINATION lib/cmake/lpdm)
get_target_property(mujoco_location mujoco::mujoco IMPORTED_LOCATION)
get_target_property(openblas_location OpenBLAS::OpenBLAS IMPORTED_LOCATION)
cmake_path(GET mujoco_location FILENAME LPDM_MUJOCO_FILE)
cmake_path(GET openblas_location FILENAME LPDM_OPENBLAS_FILE)
configure_package_config_file(cmake/lpdmConfig.cmake.in lpdmConfig.cmake
  INSTALL_DESTINATION lib/cmake/lpdm PATH_VARS LPDM_PRIVATE_LIBDIR LPDM_DATADIR)
write_basic_package_version_file(lpdmConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/lpdmConfig.cmake" "${PROJECT_BINARY_DIR}/lpdmConfigVersion.cmake"
  DESTINATION lib/cmake/lpdm)

install(DIRECTORY "${LPDM_MODEL_DIR}/" DESTINATION "${LPDM_DATADIR}/models"
  FILES_MATCHING PATTERN "*.xml")
install(DIRECTORY configs DESTINATION "${LPDM_DATADIR}"
  FILES_MATCHING PATTERN "*.json" PATTERN "__pycache__" EXCLUDE)
install(DIRECTORY python/ DESTINATION "${LPDM_DATADIR}/python" FILES_MATCHING PATTERN "*.py"
  PATTERN "__pycache__" EXCLUDE)
install(DIRECTORY docs/ DESTINATION "${LPDM_DOCDIR}" FILES_MATCHING PATTERN "*.md")
install(FILES README.md CHANGELOG.md CITATION.cff packaging/copyright DESTINATION "${LPDM_DOCDIR}")
install(FILES "${LPDM_MODEL_DIR}/../LICENSE" DESTINATION "${LPDM_DOCDIR}" RENAME LICENSE.gymnasium)
install(FILES "${LPDM_MUJOCO_DIR}/LICENSE" DESTINATION "${LPDM_DOCDIR}" RENAME LICENSE.mujoco)
install(FILES "${LPDM_OPENBLAS_DIR}/LICENSE.txt" DESTINATION "${LPDM_DOCDIR}" RENAME LICENSE.openblas)

# The program writes its own completion scripts, so they are always those of its options.
set(completion_files)
foreach(shell IN ITEMS bash zsh fish)
  set(file "${PROJECT_BINARY_DIR}/completion/lpdm.${shell}")
  add_custom_command(OUTPUT "${file}" VERBATIM DEPENDS lpdm_cli
    COMMAND ${CMAKE_COMMAND} -E make_directory "${PROJECT_BINARY_DIR}/completion"
    COMMAND lpdm_cli completion ${shell} > "${file}")
  list(APPEND completion_files "${file}")
endforeach()
add_custom_target(lpdm_completion ALL DEPENDS ${completion_files})
install(FILES "${PROJECT_BINARY_DIR}/completion/lpdm.bash"
  DESTINATION share/bash-completion/completions RENAME lpdm)
install(FILES "${PROJECT_BINARY_DIR}/completion/lpdm.zsh"
  DESTINATION share/zsh/vendor-completions RENAME _lpdm)
install(FILES "${PROJECT_BINARY_DIR}/completion/lpdm.fish"
  DESTINATION share/fish/vendor_completions.d)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lpdm)
set(CPACK_PACKAGE_VENDOR "The lpdm authors")
set(CPACK_PACKAGE_CONTACT "The lpdm authors <maintainers@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
  "lpdm trains the hidden layers of policy networks without backpropagation and compares that with
backpropagation and frozen layers under the same conditions: the program, the C++ library,
environments on MuJoCo, and the ready-made runs.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS
  "${LPDM_MUJOCO_DIR}/lib" "${LPDM_OPENBLAS_DIR}/lib")
if(TARGET lpdm_cuda)  # cuBLAS may be where no package has put it
  find_package(CUDAToolkit QUIET)
  list(APPEND CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${CUDAToolkit_LIBRARY_DIR}")
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
  "ffmpeg, libegl1, libgl1-mesa-dri, python3-matplotlib")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
  "cmake, g++, libfmt-dev, libhwy-dev, zlib1g-dev")
include(CPack)
