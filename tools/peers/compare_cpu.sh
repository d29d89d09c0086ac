#!/usr/bin/env bash
# Training steps of vae_cuda_train beside PyTorch's on the CPU: the two in turn, the median of the ratios per round.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: tools/peers/compare_cpu.sh TRAIN [ROUNDS]
TRAIN is the vae_cuda_train to measure; ROUNDS defaults to 5. Needs python3-torch, python3-numpy and
libopenblas0-openmp (Debian/Ubuntu). THREADS=N sets the threads of both (default 2).
Prints per shape and round: our ms per step, PyTorch's as it is installed and with the BLAS kernels of this processor's
instruction set (an OpenBLAS older than the processor does not find them by itself), and the ratio to the better of the
two; then the median ratio.
EOF
}

if (($# < 1)) || [[ $1 == -h || $1 == --help ]]; then
  usage
  exit $(($# < 1 ? 2 : 0))
fi
train=$(realpath "$1")
rounds=${2:-5}
threads=${THREADS:-2}
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# PyTorch at its best on a CPU: a BLAS that shares its OpenMP threads (Debian's default BLAS is three times slower with
# two threads), and a malloc that keeps large activations mapped from step to step.
libraries=/usr/lib/$(uname -m)-linux-gnu/openblas-openmp
fair=(env "LD_LIBRARY_PATH=$libraries" "OMP_NUM_THREADS=$threads" MALLOC_MMAP_MAX_=0
  MALLOC_TRIM_THRESHOLD_=100000000000 /usr/bin/python3)

if grep -qw avx512bw /proc/cpuinfo; then
  kernels=SkylakeX
else
  kernels=Haswell
fi

# Usage: field NAME < JSON
field() { /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# Usage: pytorch HIDDEN LATENT BATCH STEPS: its ms per step
pytorch() {
  "${fair[@]}" "$here/torch_speed.py" --data "$work/bits.npy" --hidden "$1" --latent-dim "$2" --batch-size "$3" \
    --steps "$4" --threads "$threads" | field ms_per_step
}

# Usage: shape COLUMNS ROWS HIDDEN LATENT BATCH STEPS
shape() {
  local columns=$1 rows=$2 hidden=$3 latent=$4 batch=$5 steps=$6 round ratios=()
  /usr/bin/python3 -c "import numpy as np; g = np.random.default_rng(1)
np.save('$work/bits.npy', (g.random(($rows, $columns), dtype=np.float32) < 0.5).astype(np.float32))"
  echo "$columns-$hidden-$latent, batch $batch, fp32, $threads threads"
  for ((round = 1; round <= rounds; ++round)); do
    local ours theirs tuned
    ours=$("$train" --data "$work/bits.npy" --hidden "$hidden" --latent-dim "$latent" --batch-size "$batch" \
      --steps $((5 * steps)) --log-every "$steps" --threads "$threads" --device cpu --out "$work/run" --overwrite --quiet \
      --json | /usr/bin/python3 -c 'import json, sys; s = json.load(sys.stdin); print(s["seconds"] * 1e3 / s["steps"])')
    theirs=$(pytorch "$hidden" "$latent" "$batch" "$steps")
    tuned=$(OPENBLAS_CORETYPE=$kernels pytorch "$hidden" "$latent" "$batch" "$steps")
    ratios+=("$(awk "BEGIN { printf \"%.3f\", ($theirs < $tuned ? $theirs : $tuned) / $ours }")")
    printf '  round %d: %8.3f ms, PyTorch %8.3f ms, with %s kernels %8.3f ms, ratio %s\n' "$round" "$ours" "$theirs" \
      "$kernels" "$tuned" "${ratios[-1]}"
  done
  printf '  median ratio %s\n' "$(printf '%s\n' "${ratios[@]}" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')"
}

shape 784 60000 400 20 128 100
shape 784 60000 512,256 64 1024 10
shape 3072 15000 512 128 256 10
