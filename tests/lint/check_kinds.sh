#!/usr/bin/env bash
# Checks that nobody asks which kind of latent or which likelihood a model has: what depends on it is in that concept's room,
# and everyone else asks for its traits (include/vaecuda/latent.hpp, likelihood.hpp).
# Usage: check_kinds.sh [FOLDER]   (the source tree; by default the one that this script is in)
# Exit code: 0 kept, 1 broken (one line each), 2 nothing to check.
set -euo pipefail
lint=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${1:-$lint/../..}"
# shellcheck source=tests/lint/rooms.sh
source "$lint/rooms.sh"

broken=0
# Usage: forbid PATTERN EXCEPTIONS ADVICE: lines that the first finds and the second does not are against the rule.
forbid() {
  local found
  if found=$(grep -rnE --include='*.hpp' --include='*.cpp' --include='*.h' --include='*.cu' --include='*.cuh' \
    --include='*.inc' "$1" "${rooms[@]}" | grep -vE "$2"); then
    printf '%s\n' "$found"
    echo "check_kinds.sh: $3" >&2
    broken=1
  fi
}

# A default value in the configuration asks nothing.
forbid '\<LatentKind[[:space:]]*::|using[[:space:]]+enum[[:space:]].*LatentKind' \
  '^host/latents/|^include/vaecuda/config\.hpp:[0-9]+: *LatentKind latent = LatentKind::[a-z_]+;' \
  'ask latent_of(kind) or traits_of(kind), whose answers are in host/latents/'
# To choose one asks nothing either. In kernels/math/likelihood.h the name is a template's parameter.
forbid '([!=]=|case)[[:space:]]*(vaecuda::)?Likelihood[[:space:]]*::|\<Likelihood[[:space:]]*::[[:space:]]*[a-z_]+[[:space:]]*[!=]=|using[[:space:]]+enum[[:space:]].*\<Likelihood\>' \
  '^kernels/math/likelihood\.h:' \
  'ask traits_of(likelihood), whose answers are its functor in kernels/math/likelihood.h'
if ((broken)); then exit 1; fi
echo "no kind of latent and no likelihood is asked for outside its room"
