#!/usr/bin/env bash
# Builds the fuzzer with clang's AddressSanitizer and UndefinedBehaviorSanitizer, and runs targets for a while.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../tools/common.sh"

usage() {
  cat <<'EOF2'
Usage: tests/fuzz/fuzz.sh [--build-only] [--runs N] [--seconds S] [TARGET...]
Fuzzes the parsers of untrusted files (tests/fuzz/targets.cpp; all of them where none is named), N executions each or S
seconds each, whichever comes first. Builds in build/fuzz, keeps what it finds in build/fuzz/work, and prints for every target:
executions, executions a second, the same a second of processor time, findings. Exit code 1 if there is a finding.
Needs clang++ 14 or newer with its fuzzer library (Debian: clang-14 libclang-rt-14-dev); CLANGXX names another.
EOF2
}

runs=2000000
seconds=100000
build_only=0
targets=()
while (($# > 0)); do
  case $1 in
    --runs) runs=$2; shift ;;
    --seconds) seconds=$2; shift ;;
    --build-only) build_only=1 ;;
    -h | --help) usage; exit 0 ;;
    -*) echo "fuzz.sh: unknown option '$1'" >&2; usage >&2; exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
((${#targets[@]} > 0)) || mapfile -t targets < <(ls "$root/tests/fuzz/corpus")

clang=${CLANGXX:-$(command -v clang++-14 || command -v clang++ || true)}
[[ -n $clang ]] || { echo "fuzz.sh: no clang++; install clang-14 and libclang-rt-14-dev" >&2; exit 2; }
build=$root/build/fuzz
mkdir -p "$build/obj" "$build/work" "$build/generated"
[[ -f $build/generated/vaecuda_build.hpp ]] ||  # what CMake writes for version.cpp
  echo 'namespace vaecuda::build { inline constexpr bool kHasCuda = false; }' >"$build/generated/vaecuda_build.hpp"

# The parsers, the page and what they stand on; no backend. What only serves the fuzzer is no part of the coverage that guides it.
compile() {
  local source=$1 object sanitizers=fuzzer-no-link,address,undefined
  object=$build/obj/$(tr / _ <<<"${source#"$root"/}").o
  if [[ $object -nt $source && $object -nt ${BASH_SOURCE[0]} &&
    -z $(find "$root"/{include,host,kernels,tests/fuzz} -name '*.h*' -newer "$object" -print -quit) ]]; then
    return
  fi
  [[ $source != */tests/fuzz/* || $source == */targets.cpp ]] || sanitizers=address
  echo "  ${source#"$root"/}"
  ${CMAKE_CXX_COMPILER_LAUNCHER:-} "$clang" -std=c++20 -g1 -O2 -fno-omit-frame-pointer -DFMT_SHARED -DVAECUDA_VERSION='"fuzz"' \
    -fsanitize=$sanitizers -fno-sanitize-recover=all -fno-sized-deallocation \
    -I"$root" -I"$root/include" -I"$root/tests" -I"$build/generated" -c "$source" -o "$object"
}
sources=("$root"/host/{config,data,io,latents,model,plan,report}/*.cpp "$root"/host/train/{checkpoint*,run_files,run_replacement}.cpp
  "$root"/host/run_report/{page*,run_record}.cpp "$root"/host/inference/latents.cpp
  "$root"/tests/fuzz/{targets,fuzzer,served_files,large_blocks}.cpp)
running=0
for source in "${sources[@]}"; do
  # These need what CMake writes, or a backend.
  [[ $source == */presets.cpp || $source == */plan/devices.cpp || $source == */plan/cuda_module.cpp ]] && continue
  ((running < jobs)) || { wait -n; running=$((running - 1)); }
  compile "$source" &
  running=$((running + 1))
done
while ((running > 0)); do wait -n; running=$((running - 1)); done
# Files and large blocks of memory come from served_files.cpp and large_blocks.cpp.
wrapped=(memfd_create open fstat read write close lseek fopen _Znwm _ZdlPv)
"$clang" -fsanitize=fuzzer,address,undefined "${wrapped[@]/#/-Wl,--wrap=}" "$build"/obj/*.o -o "$build/fuzzer" -lfmt -lpng -lz
((!build_only)) || exit 0

status=0
for target in "${targets[@]}"; do
  work=$build/work/$target
  mkdir -p "$work/corpus"
  dictionary=$root/tests/fuzz/dictionaries/$target.dict
  log=$work/log
  # Leaks are looked for at the end; what a parser may hold is bounded, so more than 512 MiB is a finding. What was given
  # back is kept from use for the next 16 MiB, some hundred executions, and not for 256 MiB, which no cache holds; reports
  # name four frames of an allocation.
  asan=quarantine_size_mb=16:malloc_context_size=4:max_malloc_fill_size=64:${ASAN_OPTIONS:-}
  TIMEFORMAT='seconds: %R %U %S'
  { time VAECUDA_FUZZ_TARGET=$target ASAN_OPTIONS=$asan \
    "$build/fuzzer" -runs="$runs" -max_total_time="$seconds" -max_len=8192 -rss_limit_mb=512 -timeout=10 -reload=0 \
    -print_final_stats=1 -artifact_prefix="$work/" ${dictionary:+-dict="$dictionary"} "$work/corpus" "$root/tests/fuzz/corpus/$target" \
    >"$log" 2>&1 || status=1; } 2>>"$log.time"
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [[ -z $executed ]]; then
    echo "$target did not run:"
    tail -n 5 "$log"
    status=1
    continue
  fi
  rates=$(awk -v n="$executed" '/^seconds: / { real = $2; busy = $3 + $4 }
    END { printf "%d a second (%d of processor time)", n / real, n / busy }' "$log.time")
  printf '%-12s %s executions, %s, findings: %s\n' "$target" "$executed" "$rates" \
    "$(grep -c '^SUMMARY: ' "$log" || true)"
done
exit $status
