#!/usr/bin/env bash
# Tests check_headers.sh: headers that stand alone pass, and one that does not is named.
set -euo pipefail
check=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/check_headers.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

# Usage: expect STATUS TEXT WHAT
expect() {
  local output status=0
  output=$("$check" "$tree" 2>&1) || status=$?
  if [[ $status != "$1" || $output != *"$2"* ]]; then
    echo "FAILED: $3: exit code $status, $output"
    failures=$((failures + 1))
  fi
}

expect 2 "no public header" "an empty tree"
mkdir -p "$tree/include/vaecuda"
cd "$tree/include/vaecuda"
printf '#pragma once\n#include <string>\nstruct A { std::string s; };\n' >good.hpp
printf '#pragma once\n#include <stddef.h>\nstruct B { size_t n; };\n' >good.h
expect 0 "2 public headers, 0" "headers that stand alone"
printf '#pragma once\nstruct C { std::string s; };\n' >bad.hpp
expect 1 "bad.hpp does not compile" "a missing include"
printf 'struct C { int n; };\n' >bad.hpp
expect 1 "bad.hpp does not compile" "a missing include guard"
rm bad.hpp
printf '#pragma once\nclass D;\n' >bad.h
expect 1 "bad.h does not compile on its own as C" "C++ in a C header"
rm bad.h
mkdir c
printf '#pragma once\nclass D;\n' >c/part.h
expect 1 "c/part.h does not compile on its own as C" "C++ in a part of the C header"

echo "check_headers.sh: $failures failures"
((failures == 0))
