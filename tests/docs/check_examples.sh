#!/usr/bin/env bash
# Runs the examples of docs/c-api.md and docs/python.md as they stand there.
# Usage: check_examples.sh BUILD
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
docs=$here/../../docs
library=$(realpath "$1")/lib
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Usage: blocks LANGUAGE FILE: what stands in the file's code blocks of that language
blocks() {
  awk -v fence="\`\`\`$1" '$0 == fence { inside = 1; next } /^```/ { inside = 0 } inside' "$2"
}

blocks c "$docs/c-api.md" >"$work/example.c"
[[ -s $work/example.c ]] || { echo "docs/c-api.md has no example"; exit 1; }
${CC:-cc} -std=c99 -Wall -Wextra -pedantic -Werror -I"$here/../../include" "$work/example.c" -L"$library" -lvaecuda \
  -Wl,-rpath,"$library" -o "$work/example"
(cd "$work" && ./example) >"$work/output"
[[ $(grep -c '^epoch' "$work/output") == 5 && $(grep -c ' nats$' "$work/output") == 8 ]] ||
  { echo "the example of docs/c-api.md prints something else:"; cat "$work/output"; exit 1; }
echo "docs/c-api.md: runs"

blocks python "$docs/python.md" >"$work/example.py"
[[ -s $work/example.py ]] || { echo "docs/python.md has no example"; exit 1; }
status=0
(cd "$work" && PYTHONPATH="$here/../../tools/python" VAECUDA_LIBRARY=$library/libvaecuda.so \
  "$here/../python/run.sh" numpy example.py) >"$work/output" || status=$?
if [[ $status == 77 ]]; then
  cat "$work/output"
elif [[ $status == 0 ]] && grep -q "latent-dim: '0' is not" "$work/output"; then
  echo "docs/python.md: runs"
else
  echo "the example of docs/python.md fails:"
  cat "$work/output"
  exit 1
fi
