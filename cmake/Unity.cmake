# Several sources in one compilation, for builds that are made once: most of a source's time goes into the headers that
# it shares with its neighbours. Off by default, so that each source shows that it includes what it needs.
set(VAECUDA_UNITY OFF CACHE STRING
  "Compile sources in groups (ON, TESTS for those of the tests alone, OFF): a third of the time for a whole build, more for a single change")
set_property(CACHE VAECUDA_UNITY PROPERTY STRINGS ON TESTS OFF)
find_program(VAECUDA_AWK NAMES awk mawk gawk)

# Usage: vaecuda_unity(TARGET [TESTS]): sets the groups of the target's sources in this folder.
function(vaecuda_unity target)
  if(NOT VAECUDA_AWK OR NOT VAECUDA_UNITY OR (VAECUDA_UNITY STREQUAL "TESTS" AND NOT "TESTS" IN_LIST ARGN))
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "[.]cpp$")
  execute_process(COMMAND "${VAECUDA_AWK}" -v most=16 -f "${PROJECT_SOURCE_DIR}/cmake/unity.awk" ${sources}
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" OUTPUT_VARIABLE groups COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" groups "${groups}")
  foreach(line IN LISTS groups)
    string(REGEX MATCH "^([0-9]+) (.*)$" line "${line}")
    set_source_files_properties("${CMAKE_MATCH_2}" PROPERTIES UNITY_GROUP ${CMAKE_MATCH_1})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()

# Usage: vaecuda_unity_headers(TARGET [OPENMP]): what most sources include is compiled once for all targets that are
# compiled in groups (OPENMP: as those which use it). Headers of others alone: in a precompiled one no warning is given.
function(vaecuda_unity_headers target)
  if(NOT VAECUDA_AWK OR NOT VAECUDA_UNITY STREQUAL "ON")
    return()
  endif()
  set(headers vaecuda_unity_headers${ARGN})
  if(NOT TARGET ${headers})
    set(source "${PROJECT_BINARY_DIR}/generated/unity_headers.cpp")
    file(WRITE "${source}.new" "// Stands for the headers that are compiled before it.\n")
    configure_file("${source}.new" "${source}" COPYONLY)
    add_library(${headers} OBJECT EXCLUDE_FROM_ALL "${source}")
    target_link_libraries(${headers} PRIVATE vaecuda_fmt vaecuda_json vaecuda_warnings vaecuda_sanitizers
      $<$<STREQUAL:${ARGN},OPENMP>:OpenMP::OpenMP_CXX>)
    target_precompile_headers(${headers} PRIVATE <fmt/format.h> <nlohmann/json.hpp> <algorithm> <array> <charconv> <chrono>
      <cmath> <cstdint> <cstring> <filesystem> <functional> <limits> <map> <memory> <numeric> <optional> <span> <stdexcept>
      <string> <string_view> <system_error> <utility> <vector>)
  endif()
  # A header is precompiled for one kind of position-independent code: a library's.
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
  target_precompile_headers(${target} REUSE_FROM ${headers})
endfunction()
