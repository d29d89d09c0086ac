# Writes the commit of SOURCE into the header OUTPUT, "-dirty" behind it where files differ from it, "unknown" where
# there is no git or no repository. An OUTPUT that is right already is left alone.
set(commit "unknown")
find_program(git NAMES git)
if(git AND EXISTS "${SOURCE}/.git")
  execute_process(COMMAND "${git}" -C "${SOURCE}" describe --always --dirty --abbrev=40 "--exclude=*"
    OUTPUT_VARIABLE answer ERROR_QUIET RESULT_VARIABLE status OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(status EQUAL 0)
    set(commit "${answer}")
  endif()
endif()
set(text "// Made by CMake: the commit that this program was compiled from.
#pragma once

namespace vaecuda::bench::build {

inline constexpr const char* kCommit = \"${commit}\";

}  // namespace vaecuda::bench::build
")
set(old "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" old)
endif()
if(NOT old STREQUAL text)
  file(WRITE "${OUTPUT}" "${text}")
endif()
