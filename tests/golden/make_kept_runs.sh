#!/usr/bin/env bash
# Makes the runs of tests/golden/kept: small ones of every kind, which later versions load and resume. Those kept were made
# by commit 75b4c1e; a kind that comes later is added by the first commit that has it, and none is made anew.
# Usage: make_kept_runs.sh BUILD FOLDER [NAME...]     FOLDER gets table.csv and a folder for each run
set -euo pipefail
train=$(cd "$1" && pwd)/bin/vae_cuda_train
mkdir -p "$2"
cd "$2"
shift 2
wanted=" $* "

awk 'BEGIN {
  print "a,b,c,d,kind"
  value = 1
  for (row = 0; row < 30; ++row) {
    for (column = 0; column < 4; ++column) {
      value = (value * 16807) % 2147483647
      printf "%.3f,", value / 2147483647
    }
    print substr("abc", row % 3 + 1, 1)
  }
}' >table.csv

# Usage: run NAME OPTIONS...
run() {
  local name=$1
  shift
  if [[ $wanted != "  " && $wanted != *" $name "* ]]; then return; fi
  "$train" --data table.csv --label-column kind --scale none --valid-fraction 0.2 --hidden 3 --latent-dim 2 --batch-size 7 --seed 5 \
    --epochs 6 --checkpoint-every 6 --device cpu --no-report --quiet "$@" --out "$name"
  find "$name" -type f ! -name '*.safetensors' ! -name config.toml ! -name metrics.jsonl -delete
}
run bernoulli
run binarized --binarize stochastic
run gaussian --likelihood gaussian
run gaussian-standardized --likelihood gaussian --standardize
run gaussian-learned-sigma --likelihood gaussian --sigma learned
run gaussian-sigma-head --likelihood gaussian --sigma head
run laplace --likelihood laplace
run laplace-sigma-head --likelihood laplace --sigma head
run three-samples --samples 3
run importance-weighted --objective iwae --samples 4
run free-bits --free-bits 0.05 --beta 0.5
run capacity --capacity 0.5 --capacity-steps 20
run log-sigma-head --logvar-head logsigma --activation tanh
run beta-cyclical --beta-schedule cyclical:period=10,ramp=0.5 --activation gelu
run deterministic --latent deterministic --latent-l2 0.5
run vq --latent vq --codebook-size 4 --restart-codes 0.3
run vq-by-gradient --latent vq --codebook-size 4 --codebook-update gradient
run conditional --likelihood gaussian --conditional
run adamw-clipped --optimizer adamw --weight-decay 0.1 --clip-norm 0.5 --activation silu
run rate-in-stages --lr-schedule stages:2=0.01 --init glorot
run skip --on-nonfinite skip --adam-v-init 1 --activation leaky-relu
