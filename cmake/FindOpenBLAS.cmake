# Finds the OpenBLAS of PyPI's scipy-openblas32 wheel, whose symbols carry the prefix scipy_, under
# LPDM_OPENBLAS_DIR. Defines the imported target OpenBLAS::OpenBLAS.
find_path(OpenBLAS_INCLUDE_DIR cblas.h HINTS "${LPDM_OPENBLAS_DIR}/include" NO_DEFAULT_PATH)
find_library(OpenBLAS_LIBRARY scipy_openblas HINTS "${LPDM_OPENBLAS_DIR}/lib" NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenBLAS
  REQUIRED_VARS OpenBLAS_LIBRARY OpenBLAS_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run tools/bootstrap.sh, or set LPDM_OPENBLAS_DIR to a folder that holds it")

if(OpenBLAS_FOUND AND NOT TARGET OpenBLAS::OpenBLAS)
  add_library(OpenBLAS::OpenBLAS SHARED IMPORTED)
  set_target_properties(OpenBLAS::OpenBLAS PROPERTIES
    IMPORTED_LOCATION "${OpenBLAS_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${OpenBLAS_INCLUDE_DIR}")
endif()
