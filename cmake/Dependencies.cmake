# Third-party packages: from VAECUDA_DEPS where it is set, else the system's. All that is missing is named at once.
if(VAECUDA_DEPS)
  list(PREPEND CMAKE_PREFIX_PATH "${VAECUDA_DEPS}")
endif()
set(vaecuda_missing "")
set(vaecuda_missing_packages "")
# Usage: vaecuda_require(FOUND NAME PACKAGE): remembers NAME, which Debian's PACKAGE brings, if FOUND is false.
macro(vaecuda_require found name package)
  if(NOT ${found})
    list(APPEND vaecuda_missing "${name}")
    list(APPEND vaecuda_missing_packages "${package}")
  endif()
endmacro()

find_package(OpenMP COMPONENTS CXX)
vaecuda_require(OpenMP_CXX_FOUND "OpenMP for ${CMAKE_CXX_COMPILER}" g++)
find_package(ZLIB)
vaecuda_require(ZLIB_FOUND zlib zlib1g-dev)
find_package(PNG)
vaecuda_require(PNG_FOUND libpng libpng-dev)
find_package(Threads REQUIRED)

# Header-only packages are looked for by header, since the distributions differ in their CMake files.
macro(vaecuda_header_package target header package)
  find_path(VAECUDA_${target}_INCLUDE ${header} HINTS "${VAECUDA_DEPS}/include")
  vaecuda_require(VAECUDA_${target}_INCLUDE ${header} ${package})
  add_library(vaecuda_${target} INTERFACE)
  target_include_directories(vaecuda_${target} SYSTEM INTERFACE "${VAECUDA_${target}_INCLUDE}")
endmacro()
vaecuda_header_package(cli11 CLI/CLI.hpp libcli11-dev)
vaecuda_header_package(json nlohmann/json.hpp nlohmann-json3-dev)
vaecuda_header_package(toml toml++/toml.h libtomlplusplus-dev)
# fmt's compiled library: header-only use costs five seconds of compilation for every file.
find_package(fmt)
vaecuda_require(fmt_FOUND fmt libfmt-dev)
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
  list(APPEND vaecuda_missing "OpenBLAS built with OpenMP")
  list(APPEND vaecuda_missing_packages libopenblas-openmp-dev)
endif()
if(vaecuda_missing)
  string(REPLACE ";" ", " vaecuda_missing "${vaecuda_missing}")
  string(REPLACE ";" " " vaecuda_missing_packages "${vaecuda_missing_packages}")
  # CMake leaves lines that begin with a blank as they are.
  message(FATAL_ERROR " vaecuda: not found: ${vaecuda_missing}
  Debian, Ubuntu: apt-get install ${vaecuda_missing_packages}   (or tools/setup.sh, which does)
  Elsewhere: docs/install.md, or a folder with them: -DVAECUDA_DEPS=DIR")
endif()
add_library(vaecuda_openblas INTERFACE)
target_include_directories(vaecuda_openblas SYSTEM INTERFACE "${VAECUDA_OPENBLAS_INCLUDE}")
