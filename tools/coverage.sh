#!/usr/bin/env bash
# Lines of the kernels' sources that the tests executed under the SIMT executor: kernels/ without kernels/library/.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'EOF2'
Usage: tools/coverage.sh BUILD [LEAST]
Reads the counters that the tests of BUILD (configured with -DVAECUDA_COVERAGE=ON) have left, prints every line of
kernels/ (without kernels/library/) that was never executed, and last "kernels coverage: NN.N %".
Exit code 1 if it is below LEAST per cent (default 98), 2 if there are no counters.
  --reset BUILD  forgets the counters, so that the next run of the tests is counted alone
EOF2
}

case ${1:-} in
  '' | -h | --help)
    usage
    exit $(($# == 0 ? 2 : 0))
    ;;
  --reset)
    find "$2" -name '*.gcda' -delete
    exit 0
    ;;
esac
build=$(realpath "$1")
least=${2:-98}

mapfile -d '' counters < <(find "$build" -path '*vaecuda_simt_kernels*' -name '*.gcda' -print0)
notes=$(find "$build" -path '*vaecuda_simt_kernels*' -name '*.gcno' | wc -l)
if ((${#counters[@]} == 0)); then
  echo "coverage.sh: no counters in $build: configure with -DVAECUDA_COVERAGE=ON and run its tests" >&2
  exit 2
fi
if ((${#counters[@]} != notes)); then
  echo "coverage.sh: $notes kernel sources were built, but only ${#counters[@]} were executed" >&2
  exit 2
fi

# gcov's listing has "COUNT:LINE:SOURCE" per line of code, again for each template instance: a line is covered if one of
# them was executed. '-' marks lines without code, '#####' and '=====' lines never executed.
for counter in "${counters[@]}"; do
  gcov --stdout --object-file "$counter" "$counter" 2>/dev/null
done | awk -v root="$root/" -v least="$least" '
{
  separator = index($0, ":")
  if (separator == 0) next
  count = substr($0, 1, separator - 1)
  rest = substr($0, separator + 1)
  line = substr(rest, 1, index(rest, ":") - 1) + 0
  text = substr(rest, index(rest, ":") + 1)
  gsub(/ /, "", count)
  if (line == 0) {
    if (text ~ /^Source:/) {
      file = substr(text, 8)
      if (index(file, root) == 1) file = substr(file, length(root) + 1)
      wanted = file ~ /^kernels\// && file !~ /^kernels\/library\//
    }
    next
  }
  if (!wanted || count == "-") next
  key = file ":" line
  if (!(key in seen)) { seen[key] = 0; source[key] = text; order[++lines] = key }
  if (count !~ /^(#####|=====)/) seen[key] = 1
}
END {
  if (lines == 0) { print "coverage.sh: the counters name no line of kernels/" > "/dev/stderr"; exit 2 }
  for (i = 1; i <= lines; ++i) {
    if (seen[order[i]]) ++covered
    else printf "never executed: %s: %s\n", order[i], source[order[i]]
  }
  share = 100 * covered / lines
  printf "%d of %d lines\n", covered, lines
  # Cut, not rounded: 97.96 is not 98.0.
  printf "kernels coverage: %.1f %%\n", int(share * 10) / 10
  exit share < least
}'
