#!/usr/bin/env bash
# Peak memory of vae_cuda over a file larger than it may use: a sparse .npy of GIB gibibytes, encoded and scored.
# Usage: encode_large_file.sh BUILD_FOLDER [GIB]     (default 5)
# Exit code: 0 both stay below 1 GB of resident memory, 1 not, 77 left out (no room for the outputs, no /usr/bin/time).
set -euo pipefail
build=$(cd "${1:?the build folder is missing}" && pwd)
gib=${2:-5}
[[ -x /usr/bin/time ]] || { echo "left out: /usr/bin/time is missing (package time)"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
free=$(df --output=avail -B1 "$folder" | tail -1)
rows=$((gib * 1024 * 1024 * 1024 / (4 * 256)))
((free > rows * 4 * 16)) || { echo "left out: no room for the results in $folder"; exit 77; }

"$build/bin/vae_cuda_train" --data shapes:16x16,n=500 --hidden 64 --latent-dim 8 --steps 50 --device cpu --quiet \
  --out "$folder/run"
model=$folder/run/model.safetensors
data=$folder/data.npy
dictionary="{'descr': '<f4', 'fortran_order': False, 'shape': ($rows, 256), }"
printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$dictionary" >"$data"
truncate -s $((128 + rows * 1024)) "$data" # zeros that take no room

failed=0
measure() { # $1 = command, rest = its options
  local kib
  /usr/bin/time -f %M -o "$folder/peak" "$build/bin/vae_cuda" "$1" "$model" --data "$data" --device cpu "${@:2}" --quiet
  kib=$(tail -1 "$folder/peak")
  echo "$1: $gib GiB, $rows rows: peak resident memory $((kib / 1024)) MiB"
  ((kib < 1000000000 / 1024)) || failed=1
}
measure encode --out "$folder/z.npy"
measure score --out "$folder/scores.npy" --threshold-quantile 0.99
exit $failed
