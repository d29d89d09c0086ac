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
Usage: tools/quickstart.sh [--gpu | --cpu]
Installs the missing packages (as root or with sudo), builds vae_cuda_train and vae_cuda in build/quickstart, and
trains a VAE on the built-in pictures into runs/quickstart. Code for a GPU is built where a card is, for that card.
Safe to run again. JOBS=N limits the number of processes.
  --gpu  builds for the usual GPUs, card or not; fails where that cannot be built
  --cpu  builds for the CPU alone
EOF
}

backend=auto
for argument in "$@"; do
  case $argument in
    --gpu | --cpu) backend=${argument#--} ;;
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
options=(-DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DVAECUDA_WERROR=OFF -DVAECUDA_UNITY=ON)
case $backend in
  gpu) options+=(-DVAECUDA_CUDA=ON) ;;
  cpu) options+=(-DVAECUDA_CUDA=OFF) ;;
  auto)
    card=$(card_architectures)
    if [[ -n $card ]]; then
      options+=(-DVAECUDA_CUDA=AUTO "-DCMAKE_CUDA_ARCHITECTURES=$card")
    elif [[ -e /dev/nvidia0 ]]; then
      options+=(-DVAECUDA_CUDA=AUTO)  # a card whose kind nobody tells
    else
      echo "no NVIDIA card with a driver is here, so nothing is built for one; to do so anyway: tools/quickstart.sh --gpu"
      options+=(-DVAECUDA_CUDA=OFF)
    fi
    ;;
esac
# A card that was put in or taken out since the last run: the architectures of then are not kept.
configure "$dir/configure.log" -B "$dir" -U CMAKE_CUDA_ARCHITECTURES "${options[@]}"
targets=(vae_cuda_train vae_cuda)
if grep -q '^-- vaecuda: CUDA ' "$dir/configure.log"; then targets+=(vaecuda_cuda); fi
build "$dir/build.log" "$dir" --target "${targets[@]}"
train=$dir/bin/vae_cuda_train

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
found "Report:" 'report.html'
found "Model:" 'model.safetensors'
found "Pictures:" '*.png'
found "Log:" 'metrics.jsonl'
found "" '*tfevents*'
found "Settings:" 'config.toml'
cat <<EOF

Next, train on your own data (IDX, .npy or .csv, also gzipped; or a folder with MNIST's or CIFAR-10's files):
  $train --data FILE --out runs/mine
  $train --help
and use the model:
  $dir/bin/vae_cuda --help
EOF
