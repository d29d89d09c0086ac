# shellcheck shell=bash
# Shared by the scripts beside it; sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${JOBS:-$(nproc)}

# Prints a heading with the time since the script began.
heading() {
  printf '\n== %s  [%d:%02d]\n' "$*" $((SECONDS / 60)) $((SECONDS % 60))
}

# Runs a command with all output in a log; a failure shows the log's end and ends the script.
# Usage: logged LOG COMMAND...
logged() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    printf '%s: failed: %s\nThe whole log: %s\n' "${0##*/}" "$*" "$PWD/$log" >&2
    exit 1
  fi
}

# Configures a build; shows the lines that this project itself prints.
# Usage: configure LOG CMAKE-ARGUMENTS...
configure() {
  local log=$1
  shift
  logged "$log" cmake -S "$root" "$@"
  sed -n 's/^-- \(vaecuda: .*\)/\1/p' "$log"
}

# Builds; shows finished targets, warnings and errors, and keeps the rest in a log.
# Usage: build LOG BUILD-DIR [CMAKE-BUILD-ARGUMENTS...]
build() {
  local log=$1 dir=$2
  shift 2
  mkdir -p "$(dirname "$log")"
  if ! cmake --build "$dir" --parallel "$jobs" "$@" 2>&1 | tee "$log" |
    awk '/Built target|Linking CXX executable|warning[ :#]|error[ :]|Error [0-9]/ { print; fflush() }'; then
    tail -n 60 "$log" >&2
    printf '%s: the build failed. The whole log: %s\n' "${0##*/}" "$PWD/$log" >&2
    exit 1
  fi
}

# The architectures of the cards that are here, as CMake writes them ("80-real;90-real"); nothing where there is none.
card_architectures() {
  { nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null || true; } |
    sed -n 's/^ *\([0-9][0-9]*\)\.\([0-9]\) *$/\1\2-real/p' | sort -u | paste -sd ';'
}
