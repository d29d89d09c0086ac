# Third-party packages: from VAECUDA_DEPS where it is set, else the system's.
if(VAECUDA_DEPS)
  list(PREPEND CMAKE_PREFIX_PATH "${VAECUDA_DEPS}")
endif()

find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(Threads REQUIRED)

# Header-only packages are looked for by header, since the distributions differ in their CMake files.
function(vaecuda_header_package target header hint)
  find_path(VAECUDA_${target}_INCLUDE ${header} HINTS "${VAECUDA_DEPS}/include")
  if(NOT VAECUDA_${target}_INCLUDE)
    message(FATAL_ERROR "${header} not found: install ${hint} (Debian/Ubuntu), or run tools/quickstart.sh, which does")
  endif()
  add_library(vaecuda_${target} INTERFACE)
  target_include_directories(vaecuda_${target} SYSTEM INTERFACE "${VAECUDA_${target}_INCLUDE}")
endfunction()
vaecuda_header_package(cli11 CLI/CLI.hpp libcli11-dev)
vaecuda_header_package(json nlohmann/json.hpp nlohmann-json3-dev)
vaecuda_header_package(toml toml++/toml.h libtomlplusplus-dev)
# fmt's compiled library: header-only use costs five seconds of compilation for every file.
find_package(fmt REQUIRED)
add_library(vaecuda_fmt INTERFACE)
target_link_libraries(vaecuda_fmt INTERFACE fmt::fmt)

# OpenBLAS, linked statically so that a program's own BLAS never meets it. The OpenMP build it is: the serial one is
# not safe to call from several threads (docs/adr/0004), the pthread one brings a pool of threads along.
find_path(VAECUDA_OPENBLAS_INCLUDE cblas.h
  HINTS "${VAECUDA_DEPS}/include"
  PATH_SUFFIXES openblas-openmp ${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp)
# Only that build's own folder is searched: the plain name may be an alternative for another.
find_library(VAECUDA_OPENBLAS_LIBRARY NAMES libopenblas.a
  PATHS "${VAECUDA_DEPS}/lib" /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp /usr/lib/openblas-openmp
        /usr/lib64/openblas-openmp
  NO_DEFAULT_PATH)
if(NOT VAECUDA_OPENBLAS_INCLUDE OR NOT VAECUDA_OPENBLAS_LIBRARY)
  message(FATAL_ERROR "OpenBLAS built with OpenMP not found: install libopenblas-openmp-dev (Debian/Ubuntu), or run tools/quickstart.sh, which does")
endif()
add_library(vaecuda_openblas INTERFACE)
target_include_directories(vaecuda_openblas SYSTEM INTERFACE "${VAECUDA_OPENBLAS_INCLUDE}")
