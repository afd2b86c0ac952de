# Finds MuJoCo under LPDM_MUJOCO_DIR as its wheels and release archives lay it out.
# Defines the imported target mujoco::mujoco and MuJoCo_VERSION.
find_path(MuJoCo_INCLUDE_DIR mujoco/mujoco.h
  HINTS "${LPDM_MUJOCO_DIR}/include" NO_DEFAULT_PATH)
file(GLOB _mujoco_libraries
  "${LPDM_MUJOCO_DIR}/lib/libmujoco.so*" "${LPDM_MUJOCO_DIR}/libmujoco.so*")
list(SORT _mujoco_libraries COMPARE NATURAL ORDER DESCENDING)
list(GET _mujoco_libraries 0 MuJoCo_LIBRARY)

if(MuJoCo_INCLUDE_DIR)
  file(STRINGS "${MuJoCo_INCLUDE_DIR}/mujoco/mujoco.h" _mujoco_version_line
    REGEX "^#define mjVERSION_HEADER [0-9]+")
  string(REGEX MATCH "[0-9]+" _mujoco_version_digits "${_mujoco_version_line}")
  set(MuJoCo_VERSION "${_mujoco_version_digits}")  # 237 is 2.3.7
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MuJoCo
  REQUIRED_VARS MuJoCo_LIBRARY MuJoCo_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run tools/bootstrap.sh, or set LPDM_MUJOCO_DIR to a folder that holds MuJoCo")

if(MuJoCo_FOUND AND NOT TARGET mujoco::mujoco)
  add_library(mujoco::mujoco SHARED IMPORTED)
  set_target_properties(mujoco::mujoco PROPERTIES
    IMPORTED_LOCATION "${MuJoCo_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${MuJoCo_INCLUDE_DIR}")
endif()
