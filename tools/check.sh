#!/usr/bin/env bash
# Every check: installs what is missing, lints, builds, and runs the tests with and without sanitizers.
# The last lines are ctest's.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'EOF'
Usage: tools/check.sh [--quick | --tidy]
Installs the missing packages (as root or with sudo), then formatting, include rules, build, clang-tidy, and the
tests: once with AddressSanitizer and UndefinedBehaviorSanitizer, once optimized. Builds are kept in build/check.
  --quick  without clang-tidy and sanitizers
  --tidy   clang-tidy with its static analyzer as well (slow)
JOBS=N limits the number of processes.
EOF
}

quick=0
deep_tidy=0
for argument in "$@"; do
  case $argument in
    --quick) quick=1 ;;
    --tidy) deep_tidy=1 ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      printf "check.sh: unknown option '%s'\n" "$argument" >&2
      usage >&2
      exit 2
      ;;
  esac
done

cd "$root"
work=build/check
release=$work/release
asan=$work/asan
summary=()

heading "Packages"
tools/setup.sh --checks

# Ninja keeps all processors busy where make waits for a target's last file. A build that is there stays what it is.
if command -v ninja >/dev/null; then export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}; fi

heading "Include rules"
tests/lint/check_includes.sh
summary+=("include rules: kept")

heading "Formatting"
if command -v clang-format-14 >/dev/null; then
  if ! complaints=$(find include host kernels tools tests -type f \
    \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' -o -name '*.c' -o -name '*.cu' -o -name '*.cuh' \) -print0 |
    xargs -0 clang-format-14 --dry-run -Werror 2>&1); then
    files=$(sed -n 's/:[0-9]*:[0-9]*: error: .*//p' <<<"$complaints" | sort -u | tr '\n' ' ')
    if [[ -n $files ]]; then complaints="not formatted; run: clang-format-14 -i $files"; fi
    echo "check.sh: $complaints" >&2
    exit 1
  fi
  echo "as clang-format 14 would have it"
  summary+=("formatting: kept")
else
  echo "left out: formatting is pinned to clang-format 14, which is not here"
  summary+=("formatting: NOT CHECKED (needs clang-format 14)")
fi

heading "Optimized build ($release)"
configure "$work/release-configure.log" -B "$release" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON -DVAECUDA_COVERAGE=ON
build "$work/release-build.log" "$release"

# Runs clang-tidy over the product's sources, each on its own, and prints only what it finds.
tidy() {
  local options=(-p "$release" --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-error)
  # omp.h is g++'s own; after clang's folders, so that clang's headers come first.
  options+=("--extra-arg=-idirafter$(g++ -print-file-name=include)")
  if ((deep_tidy)); then options+=(--checks='clang-analyzer-*'); fi
  export -f tidy_one
  # CMake writes one "file" line per translation unit.
  sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$release/compile_commands.json" |
    awk -v root="$root/" 'index($0, root) == 1 { path = substr($0, length(root) + 1) }
      path ~ /^(host|tools|kernels)\/.*\.cpp$/ && !seen[path]++ { print path }
      { path = "" }' >"$work/tidy-files"
  [[ -s $work/tidy-files ]] || { echo "check.sh: clang-tidy: no file to look at" >&2; return 1; }
  xargs -P "$jobs" -I{} bash -c 'tidy_one "$@"' _ {} "${options[@]}" <"$work/tidy-files"
}
tidy_one() {
  local file=$1 found
  shift
  # What goes to stderr is a count of silenced warnings, or a file that does not compile.
  if ! found=$(clang-tidy-14 "$@" "$file" 2>&1); then
    printf '%s\n' "$found"
    return 1
  fi
}

if ((!quick)); then
  heading "clang-tidy"
  if command -v clang-tidy-14 >/dev/null; then
    tidy || { echo "check.sh: clang-tidy found something; its rules are in .clang-tidy" >&2; exit 1; }
    echo "$(wc -l <"$work/tidy-files") files, nothing found"
    summary+=("clang-tidy: nothing found")
  else
    echo "left out: clang-tidy is pinned to 14, which is not here"
    summary+=("clang-tidy: NOT RUN (needs clang-tidy 14)")
  fi

  heading "Build with AddressSanitizer and UndefinedBehaviorSanitizer ($asan)"
  configure "$work/asan-configure.log" --preset cpu-asan -B "$asan" -DBUILD_TESTING=ON
  build "$work/asan-build.log" "$asan"

  heading "Tests with the sanitizers"
  UBSAN_OPTIONS=print_stacktrace=1 ctest --test-dir "$asan" --output-on-failure --no-tests=error --parallel "$jobs"
  summary+=("tests with sanitizers: passed")
fi

# Kernels first and alone, so that the lines counted are those of the tests that mean to execute them.
heading "Kernels under the SIMT executor"
tools/coverage.sh --reset "$release"
for room in simt ops; do
  VAECUDA_EXECUTORS=simt logged "$work/kernels-$room.log" "$release/tests/test_$room"
  tail -n 2 "$work/kernels-$room.log" | sed -n 1p
done
tools/coverage.sh "$release" 98 | tee "$work/coverage.log"
summary+=("$(tail -n 1 "$work/coverage.log")")

heading "So far"
printf '%s\n' "${summary[@]}"

heading "Tests"
exec ctest --test-dir "$release" --output-on-failure --no-tests=error --parallel "$jobs"
