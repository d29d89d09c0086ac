#!/usr/bin/env bash
# Installs a build, moves the installation, and builds and runs programs of someone else's against it.
# Usage: check_install.sh BUILD [--full]
#   --full  every combination of CMake or pkg-config, shared or static, before and after moving; what find_package
#           refuses; a project in C alone; a BLAS of the program's own. With VAECUDA_CHECK_BUILDS=1 also a multiarch
#           layout and a project that takes this tree in (both compile the library anew). Debian packages have
#           check_packages.sh.
# No reader of a pipe may leave early (grep -q, head): with pipefail the writer's SIGPIPE would be a failure.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_tree=$(cd "$here/../.." && pwd)
build=$(realpath "$1")
full=0
if [[ ${2:-} == --full ]]; then full=1; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc}
cxx=${CXX:-c++}
unset PKG_CONFIG_PATH CMAKE_PREFIX_PATH LD_LIBRARY_PATH
warnings=(-Wall -Wextra -pedantic -Werror)

failures=0
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
# Usage: quietly NAME COMMAND...: shows the output of a command that fails
quietly() {
  local name=$1
  shift
  if ! "$@" >"$work/log" 2>&1; then
    fail "$name"
    tail -n 20 "$work/log"
    return 1
  fi
}

version=$(<"$source_tree/VERSION")
runs=0
# Usage: run_consumers NAME FOLDER [COMMAND-PREFIX...]: runs both programs in FOLDER
run_consumers() {
  local name=$1 folder=$2 program
  for program in consumer_cpp consumer_c; do
    [[ -e $folder/$program ]] || { fail "$name: no $program"; continue; }
    runs=$((runs + 1))
    quietly "$name: $program" "$folder/$program" "$work/run-$runs" || continue
    grep -q "vaecuda $version" "$work/log" || fail "$name: $program says another version: $(head -n 1 "$work/log")"
    if readelf -d "$folder/$program" | grep 'NEEDED.*libvaecuda' >/dev/null; then linked=shared; else linked=static; fi
    [[ $name == *$linked* ]] || fail "$name: $program is linked otherwise ($linked)"
    if readelf -d "$folder/$program" | grep 'NEEDED.*blas'; then fail "$name: $program needs a BLAS"; fi
  done
}

# Usage: by_cmake PREFIX shared|static
by_cmake() {
  local prefix=$1 kind=$2 folder=$work/cmake-$2
  rm -rf "$folder"
  quietly "cmake $kind: configure" cmake -S "$here" -B "$folder" -DCMAKE_PREFIX_PATH="$prefix" -DKIND="$kind" \
    -DCMAKE_BUILD_TYPE=Debug &&
    quietly "cmake $kind: build" cmake --build "$folder" && run_consumers "cmake $kind" "$folder"
}

# Usage: by_pkg_config PREFIX shared|static
by_pkg_config() {
  local prefix=$1 kind=$2 folder=$work/pkg-config-$2 pc libraries
  rm -rf "$folder"
  mkdir -p "$folder"
  pc=$(dirname "$(find "$prefix" -name vaecuda.pc)")
  export PKG_CONFIG_PATH=$pc
  read -ra flags <<<"$(pkg-config --cflags vaecuda)"
  if [[ $kind == static ]]; then
    # pkg-config names libraries, and the linker takes a shared one first where both are there.
    libraries=$(pkg-config --static --libs vaecuda | sed 's/-lvaecuda\b/-l:libvaecuda.a/')
  else
    libraries="$(pkg-config --libs vaecuda) -Wl,-rpath,$(pkg-config --variable=libdir vaecuda)"
  fi
  [[ $(pkg-config --modversion vaecuda) == "$version" ]] || fail "pkg-config: version"
  unset PKG_CONFIG_PATH
  read -ra libraries <<<"$libraries"
  quietly "pkg-config $kind: C++" "$cxx" -std=c++20 "${warnings[@]}" "$here/consumer.cpp" "${flags[@]}" \
    "${libraries[@]}" -o "$folder/consumer_cpp" || return 0
  quietly "pkg-config $kind: C" "$cc" -std=c99 "${warnings[@]}" "$here/consumer.c" "${flags[@]}" \
    "${libraries[@]}" -o "$folder/consumer_c" || return 0
  run_consumers "pkg-config $kind" "$folder"
}

# Usage: check_symbols LIBRARY: it exports what the interface names, and nothing else
check_symbols() {
  local unexpected
  nm -D -C --defined-only "$1" | sed 's/^[0-9a-f]* //' >"$work/symbols"
  unexpected=$(grep -vE '^(A VAECUDA_|T vaecuda_|. (typeinfo for |typeinfo name for |vtable for )?vaecuda::)' "$work/symbols" || true)
  [[ -z $unexpected ]] || fail "exported, but no part of the interface: $unexpected"
  unexpected=$(grep -E 'Impl::|\(anonymous|vaecuda::(cpu|cuda|math|config|build)::' "$work/symbols" || true)
  [[ -z $unexpected ]] || fail "exported, but internal: $unexpected"
  for wanted in 'vaecuda::Trainer::run()' 'typeinfo for vaecuda::ConfigError'; do
    grep -qF "$wanted" "$work/symbols" || fail "not exported: $wanted"
  done
  # What a public C++ header declares is marked, or a program that uses it links with the static library alone. A template is
  # compiled where it is used.
  unexpected=$(cd "$source_tree/include" && awk '
    FNR == 1 { before = "" }
    /^(\[\[nodiscard\]\] |class [A-Za-z_]+[^;]*\{|(void|bool|int|double|std::[a-z0-9_:<>]+) [a-z_0-9]+\()/ &&
      !/VAECUDA_API|inline|constexpr/ && before !~ /^template/ { print FILENAME ":" FNR ":" $0 }
    { before = $0 }' vaecuda/*.hpp)
  [[ -z $unexpected ]] || fail "without VAECUDA_API: $unexpected"
  # Every function that the C headers declare.
  local name declared
  declared=$(cat "$source_tree/include/vaecuda/vaecuda.h" "$source_tree"/include/vaecuda/c/*.h |
    grep -oE '\bvaecuda_[a-z0-9_]+\(' | tr -d '(' | sort -u)
  (($(wc -l <<<"$declared") >= 50)) || fail "the C headers declare hardly a function"
  for name in $declared; do
    grep -qx "T ${name}@@.*\|T $name" "$work/symbols" || fail "declared for C, but not exported: $name"
  done
  objdump -p "$1" | grep -E "SONAME +libvaecuda\.so\.[0-9.]+$" >/dev/null || fail "no SONAME"
}

# Usage: check_pages PREFIX: every option of a program is in its manual page and its completion
check_pages() {
  local prefix=$1 program name manual completion option count
  for program in "$prefix"/bin/*; do
    name=${program##*/}
    manual=$(find "$prefix/share/man/man1" -name "$name.1*")
    completion=$prefix/share/bash-completion/completions/$name
    [[ -n $manual && -e $completion ]] || { fail "$name has no manual page or no completion"; continue; }
    "$program" --version | grep "^$name $version" >/dev/null || fail "$name --version"
    zcat -f "$manual" | sed 's/\\-/-/g' >"$work/manual"
    count=0
    for command in "" $("$program" --help | sed -n '/^Commands.*:$/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'); do
      # shellcheck disable=SC2086: no command is no word
      for option in $("$program" $command --help | grep -oE '^  (-h,)?--[a-z0-9-]+' | grep -oE -- '--.*'); do
        count=$((count + 1))
        grep -qE -- "^.fB.*$option(,|.fR)" "$work/manual" || fail "$name.1 does not name $command $option"
        grep -qE -- "[' ]$option[' ]" "$completion" || fail "the completion of $name does not know $command $option"
      done
      [[ -z $command ]] || grep -q "^.SS $name $command " "$work/manual" || fail "$name.1 has no command $command"
      [[ -z $command ]] || grep -q " $command)" "$completion" || fail "the completion of $name has no command $command"
    done
    ((count > 5)) || fail "$name: only $count options read from its help"
    quietly "$name: completion" bash -n "$completion" || true
  done
  # As bash calls it.
  local answer
  answer=$(bash -c 'source "$1"; COMP_WORDS=(vae_cuda_train --scale = u); COMP_CWORD=3; _vae_cuda_train; echo "${COMPREPLY[*]}"' \
    _ "$prefix/share/bash-completion/completions/vae_cuda_train")
  [[ $answer == unit ]] || fail "completion of --scale=u gives '$answer'"
  answer=$(bash -c 'source "$1"; COMP_WORDS=(vae_cuda_train --stan); COMP_CWORD=1; _vae_cuda_train; echo "${COMPREPLY[*]}"' \
    _ "$prefix/share/bash-completion/completions/vae_cuda_train")
  [[ $answer == --standardize ]] || fail "completion of --stan gives '$answer'"
}

# Usage: check_files PREFIX: no file that others read names this build, this source tree or the first prefix
check_files() {
  local named
  named=$(find "$1" \( -name '*.cmake' -o -name '*.pc' \) -exec grep -lE "$build|$source_tree|$work|openblas" {} + || true)
  [[ -z $named ]] || fail "these files name a folder of the build: $named"
}

first=$work/first
moved="$work/moved to/a prefix"
if ! cmake --install "$build" --prefix "$first" >"$work/log" 2>&1; then
  tail -n 20 "$work/log"
  echo "cmake --install failed; is the build complete?"
  exit 1
fi
if ((full)); then
  for kind in shared static default; do
    if [[ $kind == default ]]; then kind=shared; fi
    by_cmake "$first" "$kind"
  done
  for kind in shared static; do by_pkg_config "$first" "$kind"; done
fi
mkdir -p "${moved%/*}"
mv "$first" "$moved"
library=$(find "$moved" -name 'libvaecuda.so')
check_symbols "$library"
check_pages "$moved"
check_files "$moved"
by_cmake "$moved" shared
# Blanks in a prefix are beyond what the output of pkg-config can say to a shell.
mv "$moved" "$work/moved"
moved=$work/moved
if command -v pkg-config >/dev/null; then
  by_pkg_config "$moved" static
else
  echo "left out: pkg-config is not here"
fi
if ((full)); then
  by_cmake "$moved" static
  by_pkg_config "$moved" shared
  # shellcheck source=tests/consumer/full.sh
  source "$here/full.sh"
fi

echo "check_install.sh: $runs programs run, $failures failures"
((failures == 0))
