#!/usr/bin/env bash
# Every check: installs what is missing, lints, builds, and runs the tests with and without sanitizers.
# The last lines are ctest's.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Seconds of processor time that a part may take, from scratch, on a machine of half the speed of two AVX2 cores.
declare -A allowance=(
  [packages]=240
  [rules]=60
  [build]=2400
  [clang-tidy]=1500
  [sanitizers-build]=2400
  [sanitizers-tests]=1500
  [tests]=1500
  [full]=0
)

usage() {
  cat <<'EOF'
Usage: tools/check.sh [--quick | --full]
Installs the missing packages (as root or with sudo), then formatting, include rules, build, clang-tidy, and the
tests: once with AddressSanitizer and UndefinedBehaviorSanitizer, once optimized. Builds are kept in build/check.
CUDA code is built for the card that is here, and else for one architecture.
  --quick  without clang-tidy and sanitizers
  --full   also what takes long: CUDA code for every architecture that an installed build has, each source compiled
           on its own, clang-tidy's slowest rule and static analyzer, every way to use an installed library, more
           points at which runs are killed and files fail
JOBS=N limits the number of processes. Each part's processor time is printed, and a part that takes more than its
allowance fails; CHECK_ALLOWANCE=N sets the allowances to N per cent, 0 to none (--full has none).
EOF
}

quick=0
full=0
for argument in "$@"; do
  case $argument in
    --quick) quick=1 ;;
    --full) full=1 ;;
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
share=${CHECK_ALLOWANCE:-100}
if ! [[ $share =~ ^[0-9]+$ ]]; then
  echo "check.sh: CHECK_ALLOWANCE='$share' is no number of per cent" >&2
  exit 2
fi
if ((full)); then share=0; fi

cd "$root"
work=build/check
release=$work/release
asan=$work/asan
mkdir -p "$work"
summary=()
costs=()
over=()
part=
part_began=0

# Usage: begin PART HEADING: ends the part before it, and charges it with what it took
begin() {
  local now took
  # Of the processes that have ended; in a subshell it would be those of the subshell.
  times >"$work/times"
  now=$(awk 'NR == 2 { split($1 "m" $2, t, /[ms]+/); printf "%.0f", 60 * (t[1] + t[3]) + t[2] + t[4] }' "$work/times")
  if [[ -n $part ]]; then
    took=$((now - part_began))
    costs+=("$(printf '%-18s %5d s of processor time' "$part" $took)")
    if ((share > 0 && took > allowance[$part] * share / 100)); then
      over+=("$part took $took s of processor time, more than its $((allowance[$part] * share / 100))")
    fi
  fi
  part=$1
  part_began=$now
  if [[ -n ${2:-} ]]; then heading "$2"; fi
}

has_clang_with_openmp() {
  local program=$work/clang-openmp
  command -v clang++-14 >/dev/null &&
    clang++-14 -x c++ -fopenmp -fsanitize=address,undefined -o "$program" - <<<'int main() {}' 2>/dev/null
}

begin packages "Packages"
tools/setup.sh --checks

# Ninja keeps all processors busy where make waits for a target's last file. A build that is there stays what it is.
if command -v ninja >/dev/null; then export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}; fi

begin rules "Include rules"
tests/lint/check_includes.sh
summary+=("include rules: kept")

heading "Formatting"
if command -v clang-format-14 >/dev/null; then
  if ! complaints=$(find include host kernels tools tests -type f \
    \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' -o -name '*.c' -o -name '*.cu' -o -name '*.cuh' \
    -o -name '*.inc' \) -print0 |
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

begin build "Optimized build ($release)"
options=(-DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON -DVAECUDA_COVERAGE=ON)
if ((full)); then
  # Each product source on its own, as a plain CMake build has it, so that a missing include shows.
  options+=(-DVAECUDA_UNITY=TESTS)
else
  # In groups, as tools/quickstart.sh builds.
  options+=(-DVAECUDA_UNITY=ON)
  card=$(card_architectures)
  # The newest of an installed build's, since it compiles every line of the kernels; with its PTX.
  options+=("-DCMAKE_CUDA_ARCHITECTURES=${card:-90}")
fi
configure "$work/release-configure.log" -B "$release" -U CMAKE_CUDA_ARCHITECTURES "${options[@]}"
build "$work/release-build.log" "$release"

if ((!quick)); then
  begin clang-tidy "clang-tidy"
  if command -v clang-tidy-14 >/dev/null; then
    tools/tidy.sh "$release"
    summary+=("clang-tidy: nothing found")
    if ((full)); then
      tools/tidy.sh "$release" --slow
      tools/tidy.sh "$release" --analyzer
      summary+=("clang-tidy's static analyzer: nothing found")
    fi
  else
    echo "left out: clang-tidy is pinned to 14, which is not here"
    summary+=("clang-tidy: NOT RUN (needs clang-tidy 14)")
  fi

  begin sanitizers-build "Build with AddressSanitizer and UndefinedBehaviorSanitizer ($asan)"
  # By clang where it is, which instruments in a third of g++'s time and sees what g++ does not.
  preset=cpu-asan
  if has_clang_with_openmp; then preset=cpu-asan-clang; fi
  configure "$work/asan-configure.log" --preset "$preset" -B "$asan" -DBUILD_TESTING=ON -DVAECUDA_UNITY=ON
  build "$work/asan-build.log" "$asan"

  begin sanitizers-tests "Tests with the sanitizers"
  UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS="suppressions=$root/tests/leaks.supp:print_suppressions=0" \
    ctest --test-dir "$asan" --output-on-failure --no-tests=error --parallel "$jobs"
  summary+=("tests with sanitizers: passed")
fi

if ((full)); then
  begin full "Installed libraries, in every way"
  tests/consumer/check_install.sh "$release" --full
  heading "Runs killed and files that fail, at more points"
  python3 tests/faults/kill_and_resume.py "$release/bin/vae_cuda_train" --hits 40
  python3 tests/faults/kill_and_resume.py "$release/bin/vae_cuda_train" --signal any --hits 40
  python3 tests/faults/io_faults.py "$release/bin/vae_cuda_train" --stride 3
  python3 tests/faults/oom.py "$release/bin/vae_cuda_train" --trials 30
  summary+=("the long versions of the tests of faults: passed")
fi

heading "So far"
printf '%s\n' "${summary[@]}"

begin tests "Tests"
# ctest's closing lines are held back, so that they are the last.
status=0
ctest --test-dir "$release" --output-on-failure --no-tests=error --parallel "$jobs" 2>&1 |
  awk -v held="$work/closing-lines" '
    BEGIN { printf "" >held }
    /^[0-9]+% tests passed, / { closing = 1 }
    closing { print >held; next }
    { print; fflush() }' || status=$?
begin ""

heading "Processor time of each part"
printf '%s\n' "${costs[@]}"
if ((${#over[@]} > 0)); then
  printf 'check.sh: %s: make it cheaper, or move something to --full (CHECK_ALLOWANCE in --help)\n' "${over[@]}" >&2
  if ((status == 0)); then status=1; fi
fi
cat "$work/closing-lines"
exit "$status"
