#!/usr/bin/env bash
# Checks that every public header compiles on its own, and twice.
# Usage: [CXX=g++] [CC=gcc] check_headers.sh [FOLDER]   (the source tree; by default the one of this script)
# Exit code: 0 all do, 1 one does not, 2 nothing to check.
set -euo pipefail
cd "${1:-"$(dirname "${BASH_SOURCE[0]}")/../.."}"
read -ra cxx <<<"${CXX:-c++}"
read -ra cc <<<"${CC:-cc}"
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Werror)

checked=0
failed=0
for header in include/vaecuda/*.hpp include/vaecuda/*.h include/vaecuda/c/*.h; do
  [[ -e $header ]] || continue
  name=${header#include/}
  # C knows no empty translation unit, which a header of macros alone would make.
  text=$(printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$name" "$name")
  checked=$((checked + 1))
  if ! "${cxx[@]}" -x c++ -std=c++20 -fsyntax-only "${warnings[@]}" -Iinclude - <<<"$text"; then
    echo "$header does not compile on its own as C++"
    failed=$((failed + 1))
  # A .h is C as well.
  elif [[ $header == *.h ]] && ! "${cc[@]}" -x c -std=c99 -fsyntax-only "${warnings[@]}" -Iinclude - <<<"$text"; then
    echo "$header does not compile on its own as C"
    failed=$((failed + 1))
  fi
done
if ((checked == 0)); then
  echo "check_headers.sh: no public header in $PWD" >&2
  exit 2
fi
echo "$checked public headers, $failed that do not stand alone"
((failed == 0))
