# shellcheck shell=bash
# The long part of check_install.sh, which sources this.

# What find_package refuses, with a reason.
# Usage: refused TEXT CMAKE-ARGUMENTS...
refused() {
  local text=$1
  shift
  rm -rf "$work/refused"
  if cmake -S "$here" -B "$work/refused" -DCMAKE_PREFIX_PATH="$moved" "$@" >"$work/log" 2>&1; then
    fail "find_package accepts $*"
  elif ! tr -s ' \n' ' ' <"$work/log" | grep -F "$text" >/dev/null; then
    fail "find_package refuses $* without saying '$text'"
  fi
}
refused "components shared and static, not 'both'" -DKIND=both
refused "compatible with requested version" -DWANTED=0.0
refused "compatible with requested version" -DWANTED=2.0

# A project in C alone takes the shared library; for the static one it is told what is missing.
mkdir -p "$work/only-c"
cp "$here/consumer.c" "$work/only-c"
cat >"$work/only-c/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(only_c LANGUAGES C)
find_package(vaecuda REQUIRED COMPONENTS ${KIND})
add_executable(consumer_c consumer.c)
target_link_libraries(consumer_c PRIVATE vaecuda::vaecuda)
CMAKE
if quietly "C alone: configure" cmake -S "$work/only-c" -B "$work/only-c/build" -DCMAKE_PREFIX_PATH="$moved" -DKIND=shared &&
  quietly "C alone: build" cmake --build "$work/only-c/build"; then
  runs=$((runs + 1))
  quietly "C alone: run" "$work/only-c/build/consumer_c" "$work/run-only-c" || true
fi
if cmake -S "$work/only-c" -B "$work/only-c/static" -DCMAKE_PREFIX_PATH="$moved" -DKIND=static >"$work/log" 2>&1; then
  fail "a project in C alone gets the static library"
else
  grep -q "LANGUAGES C CXX" "$work/log" || fail "a project in C alone is not told why it cannot have the static library"
fi

# A program that has symbols of another OpenBLAS beside the static library keeps them.
cat >"$work/own_blas.c" <<'C'
#include <vaecuda/vaecuda.h>
int cblas_sgemm(void) { return 42; }
const char* openblas_get_corename(void) { return "mine"; }
int main(void) { return cblas_sgemm() == 42 && vaecuda_version()[0] != 0 ? 0 : 1; }
C
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$moved" -name vaecuda.pc)")
read -ra flags <<<"$(pkg-config --cflags vaecuda)"
read -ra libraries <<<"$(pkg-config --static --libs vaecuda | sed 's/-lvaecuda\b/-l:libvaecuda.a/')"
unset PKG_CONFIG_PATH
if quietly "a BLAS of its own: link" "$cc" "$work/own_blas.c" "${flags[@]}" -Wl,--whole-archive -l:libvaecuda.a \
  -Wl,--no-whole-archive "${libraries[@]}" -o "$work/own_blas"; then
  runs=$((runs + 1))
  quietly "a BLAS of its own: run" "$work/own_blas" || true
fi

# A multiarch layout, and a project that takes this tree in. ccache or not, both compile the library anew.
if [[ -n ${VAECUDA_CHECK_BUILDS:-} ]]; then
  triple=$("$cxx" -print-multiarch)
  multiarch=$work/multiarch
  quietly "multiarch: configure" cmake -S "$source_tree" -B "$work/multiarch-build" -DVAECUDA_CUDA=OFF -DBUILD_TESTING=OFF \
    -DCMAKE_INSTALL_PREFIX="$multiarch" -DCMAKE_INSTALL_LIBDIR="lib/$triple" &&
    quietly "multiarch: build" cmake --build "$work/multiarch-build" --parallel &&
    quietly "multiarch: install" cmake --install "$work/multiarch-build" &&
    mv "$multiarch" "$work/multiarch-moved" && by_pkg_config "$work/multiarch-moved" shared &&
    by_pkg_config "$work/multiarch-moved" static && by_cmake "$work/multiarch-moved" shared

  mkdir -p "$work/below"
  cp "$here/consumer.cpp" "$here/consumer.c" "$work/below"
  cat >"$work/below/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.22)
project(below LANGUAGES C CXX)
add_subdirectory("$source_tree" vaecuda)
add_executable(consumer_cpp consumer.cpp)
add_executable(consumer_c consumer.c)
target_link_libraries(consumer_cpp PRIVATE vaecuda::vaecuda)
target_link_libraries(consumer_c PRIVATE vaecuda::vaecuda)
CMAKE
  quietly "below another project: configure" cmake -S "$work/below" -B "$work/below/build" -DVAECUDA_CUDA=OFF \
    -DCMAKE_BUILD_TYPE=Release &&
    quietly "below another project: build" cmake --build "$work/below/build" --parallel &&
    run_consumers "below another project, static" "$work/below/build"
fi
