#!/usr/bin/env bash
# check_kinds.sh finds what it is for.
set -euo pipefail
lint=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

expect() { # CODE WHAT
  local code=0
  "$lint/check_kinds.sh" "$tree" >"$tree/out" 2>&1 || code=$?
  if ((code != $1)); then
    echo "$2: exit code $code instead of $1" >&2
    cat "$tree/out" >&2
    exit 1
  fi
}

expect 2 "an empty tree"
mkdir -p "$tree/host/latents" "$tree/host/train" "$tree/include/vaecuda" "$tree/kernels/math" "$tree/tools"
echo 'if (kind == LatentKind::gaussian) return;' >"$tree/host/latents/gaussian.cpp"
echo '  LatentKind latent = LatentKind::gaussian;' >"$tree/include/vaecuda/config.hpp"
echo '  if (!Likelihood::kHasSigma || source == SigmaSource::fixed) {' >"$tree/kernels/math/likelihood.h"
echo 'if (is_float) config.model.likelihood = Likelihood::gaussian;' >"$tree/tools/workload.cpp"
expect 0 "the rooms, the default and a choice"
for line in 'if (model.latent == LatentKind::vq) return;' '    case LatentKind::vq:' 'return kind != vaecuda::LatentKind :: vq;' \
  'using enum vaecuda::LatentKind;' 'if (model.likelihood == Likelihood::laplace) return;' '    case Likelihood::gaussian:' \
  'return kind != vaecuda::Likelihood :: laplace;' 'if (Likelihood::gaussian == kind) return;' 'using enum Likelihood;'; do
  echo "$line" >"$tree/host/train/evaluator.cpp"
  expect 1 "$line"
  grep -q 'host/train/evaluator.cpp:1:' "$tree/out"
done
rm "$tree/host/train/evaluator.cpp"
for line in 'if (info.latent == LatentKind::vq) return;' 'if (info.likelihood != Likelihood::bernoulli) return;'; do
  echo "$line" >"$tree/tools/info.cpp"
  expect 1 "a tool: $line"
done
rm "$tree/tools/info.cpp"
echo '  bool quantized = latent == LatentKind::vq;' >>"$tree/include/vaecuda/config.hpp"
expect 1 "another line of the configuration"
echo "found all of them"
