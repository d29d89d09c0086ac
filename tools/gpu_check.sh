#!/usr/bin/env bash
# A card's whole verdict: builds, tests, runs the sanitizers, measures, and writes one report.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'USAGE'
Usage: tools/gpu_check.sh [options] OUT_DIR
Builds vaecuda on a machine with a GPU and the CUDA toolkit, runs every test with the GPU required, the operation tests
under compute-sanitizer's four tools, the determinism and parity tests, the benchmark at every shape and precision, and
the comparison with PyTorch and JAX where they are installed. Needs no network. A part that fails or runs out of time
keeps no other from running, unless that stands on it.
Writes report.json, report.md and log.txt to OUT_DIR, anew after every part, and prints the verdict last.
  --deps DIR             third-party packages, collected by tools/bundle_deps.sh [$VAECUDA_DEPS, else the system's]
  --build DIR            where to build [build/gpu_check]
  --architectures LIST   CUDA architectures to build for [that of the first card]
  --shapes LIST          shapes of the benchmark [all]
  --limit SECONDS        time for everything [480; 3600 in a dry run]
  --skip LIST            groups of parts to leave out: tests, sanitizers, measurements, comparison
  --dry-run              does what needs no card: builds, runs the tests, measures one small shape on the CPU, writes the
                         report; lists what is left
Exit code: 0 every part passed, 1 some did not, 2 wrong options, 5 no GPU.
JOBS=N limits the number of processes of the build.
USAGE
}

die() {
  printf 'gpu_check.sh: %s\n' "$1" >&2
  exit "${2:-2}"
}

caller=$PWD
from_caller() {
  case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s/%s' "$caller" "$1" ;;
  esac
}

out=
deps=${VAECUDA_DEPS:-}
build=$root/build/gpu_check
architectures=
shapes=
limit=
skip=
dry_run=0
command_line="tools/gpu_check.sh $*"
while (($#)); do
  case $1 in
    --deps | --build | --architectures | --shapes | --limit | --skip)
      (($# >= 2)) || die "$1 needs a value"
      ;;&
    --deps) deps=$2 && shift ;;
    --build) build=$(from_caller "$2") && shift ;;
    --architectures) architectures=$2 && shift ;;
    --shapes) shapes=$2 && shift ;;
    --limit) limit=$2 && shift ;;
    --skip) skip=$2 && shift ;;
    --dry-run) dry_run=1 ;;
    -h | --help)
      usage
      exit 0
      ;;
    -*) die "unknown option '$1'; --help lists the options" ;;
    *)
      [[ -z $out ]] || die "one OUT_DIR, not '$out' and '$1'"
      out=$1
      ;;
  esac
  shift
done
# A rehearsal: the same parts on the CPU, with time for a machine of few cores.
device=cuda
stretch=1
if ((dry_run)); then
  device=cpu
  stretch=8
fi
shapes=${shapes:-$( ((dry_run)) && echo G || echo all)}
limit=${limit:-$( ((dry_run)) && echo 3600 || echo 480)}
[[ -n $out ]] || die "where to? Usage: tools/gpu_check.sh [options] OUT_DIR"
[[ $limit =~ ^[1-9][0-9]*$ ]] || die "--limit: '$limit' is not a number of seconds"
IFS=, read -ra skipped <<<"$skip"
for group in ${skipped[@]+"${skipped[@]}"}; do
  case $group in
    tests | sanitizers | measurements | comparison) ;;
    *) die "--skip: '$group' is none of tests, sanitizers, measurements, comparison" ;;
  esac
done
out=$(from_caller "$out")
if [[ -n $deps ]]; then
  deps=$(from_caller "$deps")
  [[ -d $deps/include && -d $deps/lib ]] || die "$deps is no bundle of tools/bundle_deps.sh"
fi
for tool in cmake ctest python3 timeout; do
  command -v "$tool" >/dev/null || die "$tool is needed" 1
done
mkdir -p "$out" 2>/dev/null || die "cannot make the folder $out" 1

cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/logs" "$work/results"
: >"$work/parts"

gpu_facts() {
  nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total,clocks.max.sm,clocks.max.memory \
    --format=csv,noheader 2>/dev/null
}
if ! command -v nvidia-smi >/dev/null || ! gpu_facts >"$work/gpu"; then : >"$work/gpu"; fi
if [[ ! -s $work/gpu ]] && ((!dry_run)); then
  die "nvidia-smi finds no GPU; --dry-run does what needs none" 5
fi
capability=$(awk -F', *' 'NR == 1 { sub(/\./, "", $2); print $2 }' "$work/gpu")
architectures=${architectures:-$capability}
# The cards before Ampere have fp32 alone.
precisions=(fp32 tf32 bf16)
if ((dry_run)) || { [[ -n $capability ]] && ((capability < 80)); }; then precisions=(fp32); fi

# "key<tab>value" for the report.
{
  printf 'command\t%s\n' "$command_line"
  printf 'date\t%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  printf 'commit\t%s\n' "$(git describe --always --dirty --abbrev=40 '--exclude=*' 2>/dev/null || echo unknown)"
  printf 'system\t%s\n' "$(uname -srm)"
  printf 'processor\t%s, %s logical processors\n' \
    "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" "$(nproc)"
  printf 'architectures\t%s\n' "${architectures:-those of the build}"
} >"$work/facts"

write_report() {
  python3 tools/gpu_report.py "$work" "$out" "$1"
}

# Usage: record NAME STATUS SECONDS LIMIT COMMAND
record() {
  printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$work/parts"
  printf '[%d:%02d] %-24s %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$1" "$2"
  write_report unfinished >/dev/null || true
}

# The seconds that a part may take: its own limit, or what is left of the whole.
allowed() {
  local left=$((limit - SECONDS)) wanted=$(($1 * stretch))
  echo $((wanted < left ? wanted : left))
}

# Runs a command under a time limit, stdout to $work/results/$RESULT if that is set, the rest to the part's log.
# Usage: run NAME LIMIT COMMAND...: prints the status
run() {
  local name=$1 seconds=$2 code=0 log=$work/logs/$1
  shift 2
  {
    printf '== %s\n%s\n' "$name" "$*"
    if [[ -n ${RESULT:-} ]]; then
      timeout --kill-after=10 "$seconds" "$@" >"$work/results/$RESULT" || code=$?
    else
      timeout --kill-after=10 "$seconds" "$@" || code=$?
    fi
  } >"$log" 2>&1 </dev/null
  case $code in
    0) echo passed ;;
    124 | 137) echo "stopped after $seconds s" ;;
    *) echo "failed (exit code $code)" ;;
  esac
}

# The group that the next parts belong to, and whether a dry run leaves them out.
group=
needs_card=0
is_skipped() { [[ -n $group && ,$skip, == *,$group,* ]]; }

# Usage: part NAME LIMIT PROGRAM COMMAND...: PROGRAM is a file that must be there, or "-"
part() {
  local name=$1 seconds began=$SECONDS status program=$3
  seconds=$(allowed "$2")
  shift 3
  if is_skipped; then
    status="left out: --skip $group"
  elif ((dry_run && needs_card)); then
    status="dry run"
  elif ((seconds < 5)); then
    status="not run: no time left"
  elif [[ $program != - && ! -x $program ]]; then
    status="not run: $program is not there"
  else
    status=$(run "$name" "$seconds" "$@")
  fi
  record "$name" "$status" $((SECONDS - began)) "$seconds" "$*"
}

# A part that prints one JSON document. Usage: measured NAME LIMIT COMMAND...
measured() {
  local name=$1 seconds=$2
  shift 2
  RESULT=$name.json part "$name" "$seconds" "$1" "$@"
}

# What the tests are told: a GPU must be there.
if ((!dry_run)); then export VAECUDA_REQUIRE_GPU=1; fi

configuration=(-S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON -DVAECUDA_WERROR=OFF)
if [[ -n $deps ]]; then configuration+=("-DVAECUDA_DEPS=$deps"); fi
if [[ -n $architectures ]]; then configuration+=("-DCMAKE_CUDA_ARCHITECTURES=$architectures"); fi
if ((!dry_run)); then configuration+=(-DVAECUDA_CUDA=ON); fi
keep_going=(-k)
if [[ ! -e $build/CMakeCache.txt ]] && command -v ninja >/dev/null; then configuration+=(-G Ninja); fi

began=$SECONDS
seconds=$(allowed 120)
status=$(run configure "$seconds" cmake "${configuration[@]}")
record configure "$status" $((SECONDS - began)) "$seconds" "cmake ${configuration[*]}"
if [[ -e $build/build.ninja ]]; then keep_going=(-k 0); fi
# What does not compile keeps the rest from nothing.
part build 240 - cmake --build "$build" --parallel "$jobs" -- "${keep_going[@]}"

group=tests
part tests 150 - ctest --test-dir "$build" --output-on-failure --no-tests=error --parallel 4

group=sanitizers
needs_card=1
# The four tools side by side: nothing is timed in them, and each keeps one core busy.
sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
test_ops=$build/tests/test_ops
tools=(memcheck racecheck initcheck synccheck)
seconds=$(allowed 120)
began=$SECONDS
declare -A pid=()
sanitized() { printf '%s\n' env VAECUDA_EXECUTORS=gpu "$sanitizer" --tool "$1" --error-exitcode 9 "$test_ops"; }
for tool in "${tools[@]}"; do
  if ! is_skipped && ((!dry_run && seconds >= 5)) && [[ -x $sanitizer && -x $test_ops ]]; then
    mapfile -t command < <(sanitized "$tool")
    (
      tool_began=$SECONDS
      run "$tool" "$seconds" "${command[@]}" >"$work/$tool.status"
      echo $((SECONDS - tool_began)) >"$work/$tool.seconds"
    ) &
    pid[$tool]=$!
  fi
done
for tool in "${tools[@]}"; do
  mapfile -t command < <(sanitized "$tool")
  if [[ -n ${pid[$tool]:-} ]]; then
    wait "${pid[$tool]}" || true
    record "$tool" "$(<"$work/$tool.status")" "$(<"$work/$tool.seconds")" "$seconds" "${command[*]}"
  else
    part "$tool" 120 "$([[ -x $sanitizer ]] && echo "$test_ops" || echo "$sanitizer")" "${command[@]}"
  fi
done

# Runs the tests with a tag in every test program; at least one must have such tests, and all must pass.
# Usage: tagged_tests TAG BUILD
tagged_tests() {
  local program output code found=0
  for program in "$2"/tests/test_*; do
    [[ -f $program && -x $program ]] || continue
    code=0
    output=$("$program" "[$1]" 2>&1) || code=$?
    printf '%s [%s]\n%s\n' "$program" "$1" "$output"
    # Catch2 2 gives 0 where no test has the tag, version 3 does not.
    if grep -qE '^No (tests ran|test cases matched)' <<<"$output"; then continue; fi
    ((code == 0)) || return "$code"
    found=1
  done
  if ((!found)); then
    echo "no test has the tag [$1]"
    return 1
  fi
}
export -f tagged_tests
group=tests
needs_card=0
for tag in determinism parity; do
  part "$tag" 60 - bash -c 'tagged_tests "$@"' _ "$tag" "$build"
done

group=measurements
bench=$build/bin/vae_cuda_bench
measured machine 40 "$bench" machine --device "$device" --time-limit 0.5 --json
for precision in "${precisions[@]}"; do
  what=(--shape "$shapes" --device "$device" --precision "$precision" --json)
  measured "step-$precision" 60 "$bench" step "${what[@]}" --time-limit 1
  measured "ops-$precision" 45 "$bench" ops "${what[@]}" --time-limit 0.5
  measured "infer-$precision" 45 "$bench" infer "${what[@]}" --time-limit 0.3
done

group=comparison
# The two figures that are asked of a card: the launch-bound shape and the tensor cores' shape. The rest is for
# tools/compare.sh by itself, since a peer's own tuning takes minutes per shape.
# Usage: compared SHAPE PRECISION
compared() {
  local name=compare-$1-$2 seconds
  # Less than the part's own limit, so that it can write what it has.
  seconds=$(($(allowed 240) - 15))
  RESULT=$name.md part "$name" 240 "$bench" tools/compare.sh --bench "$bench" --device "$device" --shapes "$1" \
    --precision "$2" --rounds 1 --peers "$peers" --time-limit $((seconds > 0 ? seconds : 1)) \
    --out "$work/results/$name.json"
}
# Usage: has_module NAME: one of the interpreters that tools/compare.sh looks at has it
has_module() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)"; then return 0; fi
  done
  return 1
}
if has_module torch; then
  peers=torch
  if has_module jax; then peers+=,jax; fi
  compared "$( ((dry_run)) && echo "$shapes" || echo A)" fp32
  if [[ " ${precisions[*]} " == *" bf16 "* ]]; then compared W bf16; fi
else
  record compare "left out: PyTorch is not installed" 0 0 "tools/compare.sh"
fi

if ((dry_run)); then
  write_report dry
else
  write_report final
fi
