#!/usr/bin/env bash
# From a clean clone to a trained VAE: installs what is missing, builds, trains on the built-in data set.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Chosen so that training takes one to two minutes on two cores.
training=(--data shapes --valid-fraction 0.1 --likelihood bernoulli --hidden 400 --latent-dim 10
  --epochs 60 --batch-size 128 --seed 1)

usage() {
  cat <<'EOF'
Usage: tools/quickstart.sh
Installs the missing packages (as root or with sudo), builds vaecuda in build/quickstart, and trains a VAE on
the built-in pictures into runs/quickstart. Safe to run again. JOBS=N limits the number of processes.
EOF
}

for argument in "$@"; do
  case $argument in
    -h | --help)
      usage
      exit 0
      ;;
    *)
      printf "quickstart.sh: unknown option '%s'\n" "$argument" >&2
      usage >&2
      exit 2
      ;;
  esac
done

cd "$root"
dir=build/quickstart
out=runs/quickstart

heading "Packages"
tools/setup.sh

heading "Building in $dir (the log: $dir/build.log)"
configure "$dir/configure.log" -B "$dir" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DVAECUDA_WERROR=OFF
build "$dir/build.log" "$dir"
train=$(find "$dir" -name vae_cuda_train -type f -print -quit)

heading "Training"
echo "$train ${training[*]} --out $out"
"$train" "${training[@]}" --out "$out" --overwrite

heading "Done, in $root"
# Usage: found LABEL PATTERN: the files of the run folder that match
found() {
  local files
  files=$(find "$out" -type f -name "$2" | sort | tr '\n' ' ')
  if [[ -n $files ]]; then printf '%-10s %s\n' "$1" "$files"; fi
}
found "Model:" 'model.safetensors'
found "Pictures:" '*.png'
found "Log:" 'metrics.jsonl'
found "" '*tfevents*'
found "Settings:" 'config.toml'
cat <<EOF

Next, train on your own data (IDX, .npy or .csv, also gzipped; or a folder with MNIST's or CIFAR-10's files):
  $train --data FILE --out runs/mine
  $train --help
EOF
