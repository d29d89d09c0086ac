# The warnings of our own code. Third-party headers are SYSTEM and stay silent.
add_library(vaecuda_warnings INTERFACE)
target_compile_options(vaecuda_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast
                            -Woverloaded-virtual -Wdouble-promotion -Wformat=2>)
if(VAECUDA_WERROR)
  target_compile_options(vaecuda_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()

add_library(vaecuda_sanitizers INTERFACE)
if(VAECUDA_SANITIZE)
  target_compile_options(vaecuda_sanitizers INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${VAECUDA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all>)
  target_link_options(vaecuda_sanitizers INTERFACE -fsanitize=${VAECUDA_SANITIZE}
    # UndefinedBehaviorSanitizer's tables are full of addresses: relocating them is a third of a program's start.
    $<$<AND:$<CXX_COMPILER_ID:Clang>,$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>>:-no-pie>)
endif()
