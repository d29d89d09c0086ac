#!/usr/bin/env bash
# check_figures.py finds what it should, and can fail.
set -euo pipefail
check=$(dirname "${BASH_SOURCE[0]}")/check_figures.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/docs/benchmarks/cpu"
printf '| run | loss |\n|---|---|\n| ours | 105.63 |\n\nNot in a table: 99.99\n' >"$work/docs/results.md"
cat >"$work/docs/benchmarks/cpu/r.json" <<'JSON'
{"cells": [{"shape": "A", "ours": {"ms": 1.2345}, "ratio": 1.94}, {"shape": "B", "ours": {"ms": 7.5}, "ratio": 1.06}]}
JSON
printf '## Figures\n\n<!-- measured: cpu/r.json -->\n\n| a | b |\n|---|---|\n| 1.235 | 7.5 |\n\nAfter it 105.63.\n' \
  >"$work/docs/benchmarks/README.md"

failures=0
# Usage: expect CODE TEXT README-LINE
expect() {
  local code=0 output
  printf '# Name\n\nElsewhere 3.14 is nobody'"'"'s business.\n\n## Figures\n\n%s\n\n## Reading on\n\n2.71\n' "$3" >"$work/README.md"
  output=$(python3 "$check" "$work" 2>&1) || code=$?
  if [[ $code != "$1" || $output != *"$2"* ]]; then
    printf 'for: %s\nexpected exit code %s and "%s", got %s and:\n%s\n' "$3" "$1" "$2" "$code" "$output"
    failures=$((failures + 1))
  fi
}
mark() { printf '<!-- measured: cpu/r.json%s -->' "$1"; }

# shellcheck disable=SC2016  # the back ticks are Markdown's
expect 0 '0 without' 'The loss is 105.63, with `0.5` in code and [a link](v1.5.md).'
expect 0 '0 without' "$(mark ' shape=A')"$'\nA step takes 1.23 ms, 1.9 times less.'
expect 0 '0 without' "$(mark '')"$'\n\nB takes 7.5 ms.\n\nThe loss is 105.63.'
expect 0 '0 without' "$(mark ' shape=A ours.ms')"$'\n'"$(mark ' shape=B ratio')"$'\nA takes 1.23 ms, B 1.06 times less.'
# shellcheck disable=SC2016
expect 0 '0 without' $'```sh\nrun --quantile 0.99\n```\nThe loss is 105.63.'
# shellcheck disable=SC2016
expect 1 '99.99 does not stand' $'```sh\nrun --quantile 0.99\n```\nThe loss is 99.99.'
expect 1 'README.md:7: 99.99 does not stand in a table' 'The loss is 99.99.'
expect 1 'README.md:7: 1.9 does not stand in a table' 'It is 1.9 times as fast.'
expect 1 '1.95 does not stand' "$(mark ' shape=A ratio')"$'\nIt is 1.95 times as fast.'
expect 1 '1.06 does not stand' "$(mark ' shape=A ratio')"$'\nA is 1.06 times as fast.'
expect 1 '1.9 does not stand' "$(mark ' shape=A ratio')"$'\nA is 1.94 times as fast.\n\nIt is 1.9.'
expect 1 'means 0 fields' "$(mark ' shape=C ratio')"$'\nIt is 1.9 times as fast.'
expect 1 'list indices' "$(mark ' cells.ratio')"$'\nIt is 1.9 times as fast.'
expect 1 'No such file' $'<!-- measured: cpu/none.json -->\nIt is 1.9 times as fast.'
expect 1 'a comment within a line' "It is 1.9$(mark ' shape=A ratio') times as fast."
sed -i 's/7\.5 |/7.6 |/' "$work/docs/benchmarks/README.md"
expect 1 'docs/benchmarks/README.md:7: 7.6 does not stand in the report' 'The loss is 105.63.'
printf '## Figures\n' >"$work/docs/benchmarks/README.md"
expect 2 'no figure found' 'None.'
if ((failures)); then exit 1; fi
echo "check_figures.py finds and fails as it should"
