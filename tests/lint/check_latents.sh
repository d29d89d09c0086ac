#!/usr/bin/env bash
# Checks that nobody asks which kind of latent a model has: what depends on it is in host/latents/, and everyone else asks
# there or for its traits (include/vaecuda/latent.hpp).
# Usage: check_latents.sh [FOLDER]   (the source tree; by default the one that this script is in)
# Exit code: 0 kept, 1 broken (one line each), 2 nothing to check.
set -euo pipefail
cd "${1:-"$(dirname "${BASH_SOURCE[0]}")/../.."}"

rooms=()
for room in include host kernels tools; do
  if [[ -d $room ]]; then rooms+=("$room"); fi
done
if ((${#rooms[@]} == 0)); then
  echo "check_latents.sh: no source folder in $PWD" >&2
  exit 2
fi

# A default value in the configuration asks nothing.
if found=$(grep -rnE --include='*.hpp' --include='*.cpp' --include='*.h' --include='*.cu' --include='*.cuh' --include='*.inc' \
  '\<LatentKind[[:space:]]*::|using[[:space:]]+enum[[:space:]].*LatentKind' "${rooms[@]}" |
  grep -vE '^host/latents/|^include/vaecuda/config\.hpp:[0-9]+: *LatentKind latent = LatentKind::[a-z_]+;'); then
  printf '%s\n' "$found"
  echo "check_latents.sh: ask latent_of(kind) or traits_of(kind), whose answers are in host/latents/" >&2
  exit 1
fi
echo "no kind of latent is asked for outside host/latents/"
