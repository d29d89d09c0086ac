#!/usr/bin/env bash
# compare_builds.py finds a build equal to itself, and one that learns at another rate or writes other words different.
# Usage: test_compare_builds.sh BUILD
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compare=("${PYTHON:-python3}" "$here/compare_builds.py" "$build" --programs --only gaussian)

"${compare[@]}" --new "$build" >"$work/same" || { cat "$work/same" >&2; exit 1; }
grep -q '^nothing differs$' "$work/same"
# So many that something was compared.
grep -Eq '^numbers of programs: [0-9]{3,} compared, 0 differ$' "$work/same"

mkdir -p "$work/other/bin"
ln -s "$build/bin/vae_cuda" "$work/other/bin/vae_cuda"
# Usage: other_training LINE: what vae_cuda_train is in the other build
other_training() {
  printf '#!/bin/sh\n%s\n' "$1" >"$work/other/bin/vae_cuda_train"
  chmod +x "$work/other/bin/vae_cuda_train"
}
other_training "exec '$build/bin/vae_cuda_train' \"\$@\" --lr 0.00100001"
if "${compare[@]}" --new "$work/other" >"$work/rate"; then
  echo "another learning rate was not found" >&2
  exit 1
fi
grep -Eq '^numbers of programs: [0-9]+ compared, [0-9]{2,} differ$' "$work/rate"

other_training "exec '$build/bin/vae_cuda_train' \"\$@\" --log-every 50"
if "${compare[@]}" --new "$work/other" >"$work/words"; then
  echo "another configuration was not found" >&2
  exit 1
fi
grep -q '^numbers of programs: [0-9]* compared, 0 differ$' "$work/words"
grep -q 'config.toml: log_every: 100 -> 50' "$work/words"
"${compare[@]}" --new "$work/other" --documents-may-differ >"$work/words"
