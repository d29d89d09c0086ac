#!/usr/bin/env bash
# Checks that tools/tidy.sh finds a fault in any source of a group, and in sources that do not compile as one.
# Exit code: 77 without clang-tidy 14.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v clang-tidy-14 >/dev/null || { echo "skipped: no clang-tidy-14"; exit 77; }
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/host/room" "$work/build" "$work/include/vaecuda"
cp "$here/../../.clang-tidy" "$work/"

# Usage: source NAME TEXT: a source of the tree
source_of() { printf '%s\n' "$2" >"$work/host/room/$1.cpp"; }
# Usage: run NAME EXIT-CODE [PATTERN...]: what tidy.sh must say about the tree as it is, in lines that have PATTERN
failures=0
run() {
  local name=$1 wanted=$2 code=0 pattern file
  shift 2
  {
    echo "["
    for file in "$work"/host/room/*.cpp; do
      printf '{\n  "directory": "%s",\n  "command": "c++ -DNAME=\\\\\\"x\\\\\\" -std=c++20 -I%s -o %s.o -c %s",\n  "file": "%s"\n},\n' \
        "$work/build" "$work/include" "$file" "$file" "$file"
    done
    echo "]"
  } >"$work/build/compile_commands.json"
  "$here/../../tools/tidy.sh" "$work/build" "$work" >"$work/output" 2>&1 || code=$?
  if ((code != wanted)); then
    echo "FAILED: $name: exit code $code, not $wanted"
    cat "$work/output"
    failures=$((failures + 1))
  fi
  for pattern in "$@"; do
    if [[ $(grep -cE "$pattern" "$work/output") != 1 ]]; then
      echo "FAILED: $name: not once: $pattern"
      cat "$work/output"
      failures=$((failures + 1))
    fi
  done
}

clean='int twice(int x) { return static_cast<int>(sizeof(NAME)) * x; }'
source_of a "namespace { $clean }
int a() { return twice(1); }"
source_of b 'int b() { return 2; }'
run "clean" 0 "2 sources in 1 passes, nothing found"

source_of b 'int* b() { return 0; }'
printf '#pragma once\nstruct bad_name {};\n' >"$work/include/vaecuda/header.hpp"
source_of c '#include "vaecuda/header.hpp"
bad_name c() { return {}; }'
source_of d '#include "vaecuda/header.hpp"
#define ALONE 1
int WrongCase() { return ALONE; }'
run "a fault in a member of a group, in a header, in a source with a macro" 1 "room/b.cpp:1:.*modernize-use-nullptr" \
  "room/d.cpp:3:.*readability-identifier-naming"
[[ $(grep -c "vaecuda/header.hpp:2:.*readability-identifier-naming" "$work/output") -ge 1 ]] ||
  { echo "FAILED: nothing of the header"; cat "$work/output"; failures=$((failures + 1)); }
rm "$work"/host/room/[cd].cpp

# The script cannot see these: the sources compile alone, and not together.
source_of b '  namespace { int twice(int x) { return x + x; } }
int b() { return twice(2); }'
run "names that the grouping does not see" 0 "nothing found"
source_of b '  namespace { int twice(int x) { return x + x; } }
int* b() { return twice(2) > 5 ? 0 : nullptr; }'
run "a fault beside them" 1 "room/b.cpp:2:.*modernize-use-nullptr"
source_of b 'int b() { return nothing; }'
run "a source that does not compile" 1 "room/b.cpp:1:.*clang-diagnostic-error"

rm "$work"/host/room/*.cpp
source_of x "$clean"
sed -i 's/room/elsewhere/g' "$work/build/compile_commands.json"
code=0
"$here/../../tools/tidy.sh" "$work/build" "$work/include" >"$work/output" 2>&1 || code=$?
((code == 2)) || { echo "FAILED: no source: exit code $code"; failures=$((failures + 1)); }
echo "tidy.sh finds what is planted; $failures failures"
((failures == 0))
