#!/usr/bin/env bash
# Tests check_includes.sh: a clean tree passes, and a violation of each rule, planted alone, is reported.
set -euo pipefail
check=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/check_includes.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0
cases=0

# Usage: write FILE LINE...
write() {
  mkdir -p "$tree/$(dirname "$1")"
  printf '%s\n' "${@:2}" >"$tree/$1"
}
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# A tree with every room, in which each arrow that is allowed is drawn once.
clean_tree() {
  rm -rf "${tree:?}"/*
  write include/vaecuda/a.hpp '#pragma once' '#include <string>' '#include "vaecuda/b.hpp"'
  write include/vaecuda/b.hpp '#include <cstdint>' '#include "a.hpp"'
  write include/vaecuda/c.h '#include <stdint.h>'
  write host/plan/plan.hpp '#include <vaecuda/a.hpp>' '#include "host/plan/ops.hpp"' '#include "ops.hpp"'
  write host/plan/ops.hpp '#include <vector>'
  write host/io/io.cpp '#include <fcntl.h>' '#include <fmt/format.h>' '#include "../plan/plan.hpp"'
  write host/cpu/gemm.cpp '#include <cblas.h>' '#include <omp.h>' '#include "kernels/math/adam.h"'
  write host/cuda/context.cpp '#include <cublasLt.h>' '#include <cuda_runtime.h>' '#include "kernels/adam.cuh"'
  write kernels/math/adam.h '#include <cmath>' '#include "philox.h"' '#include "kernels/math/philox.h"'
  write kernels/math/philox.h '#include <cstdint>'
  write kernels/device/launch.cuh '#include <cuda_runtime.h>'
  write kernels/adam.cuh '#include "device/launch.cuh"' '#include "kernels/math/adam.h"' '#include <curand_kernel.h>'
  write kernels/library/sort.cu '#include <cub/cub.cuh>' '#include <thrust/sort.h>' '#include <cublasLt.h>'
  write tools/cli/args.hpp '#include <CLI/CLI.hpp>' '#include <nlohmann/json.hpp>' '#include "vaecuda/a.hpp"'
  write tools/vae_cuda_train.cpp '#include "cli/args.hpp"' '#include "tools/cli/args.hpp"'
  write tools/vae_cuda_bench.cpp '#include "host/plan/plan.hpp"'
  write tests/support/oracle.hpp '#include "host/plan/plan.hpp"'
}

# Usage: planted FILE INCLUDE: must be reported at line 3 of FILE
planted() {
  cases=$((cases + 1))
  clean_tree
  write "$1" '// a line' '#include <cstdint>' "$2"
  local output status=0
  output=$("$check" "$tree" 2>&1) || status=$?
  [[ $status == 1 ]] || fail "$1 with $2: exit code $status instead of 1"
  [[ $output == *"$1:3: includes "* ]] || fail "$1 with $2: not reported: $output"
  [[ $output == *", 1 against the rules" ]] || fail "$1 with $2: not the only one: $output"
}

clean_tree
cases=$((cases + 1))
output=$("$check" "$tree" 2>&1) || fail "the clean tree is reported: $output"

# public headers
planted include/vaecuda/x.hpp '#include <cuda_runtime.h>'
planted include/vaecuda/x.hpp '#include <fmt/format.h>'
planted include/vaecuda/x.hpp '#include "host/plan/plan.hpp"'
planted include/vaecuda/x.hpp '#include "../../host/plan/plan.hpp"'
planted include/vaecuda/x.hpp '#include "kernels/math/adam.h"'
# kernels
planted kernels/x.cu '#include "vaecuda/a.hpp"'
planted kernels/x.cu '#include <vaecuda/not_there.hpp>'
planted kernels/x.cu '#include "host/plan/plan.hpp"'
planted kernels/x.cu '  #  include "../host/plan/plan.hpp"'
planted kernels/device/x.cuh '#include "host/plan/plan.hpp"'
planted kernels/library/x.cu '#include "host/plan/plan.hpp"'
planted kernels/x.cu '#include <cub/block/block_reduce.cuh>'
planted kernels/x.cu '#include <thrust/sort.h>'
planted kernels/x.cu '#include <cublasLt.h>'
# the formulas
planted kernels/math/x.h '#include "kernels/adam.cuh"'
planted kernels/math/x.h '#include "../adam.cuh"'
planted kernels/math/x.h '#include <cuda_runtime.h>'
planted kernels/math/x.h '#include <curand_kernel.h>'
planted kernels/math/x.h '#include "host/plan/plan.hpp"'
planted kernels/math/x.h '#include "vaecuda/a.hpp"'
planted kernels/math/x.h '#include <fmt/format.h>'
# the orchestrator
planted host/io/x.cpp '#include <nlohmann/json.hpp>'
planted host/model/x.cpp '#include <cuda_runtime.h>'
planted host/model/x.cpp '#include <cublasLt.h>'
planted host/model/x.cpp '#include "kernels/adam.cuh"'
planted host/cpu/x.cpp '#include "kernels/device/launch.cuh"'
planted host/model/x.cpp '#include "tools/cli/args.hpp"'
planted host/cuda/x.cpp '#include "tools/cli/args.hpp"'
planted host/model/x.cpp '#include <cblas.h>'
# tools
planted tools/vae_cuda_x.cpp '#include "host/plan/plan.hpp"'
planted tools/vae_cuda_x.cpp '#include "kernels/math/adam.h"'
planted tools/vae_cuda_x.cpp '#include <cuda_runtime.h>'
planted tools/vae_cuda_bench_x.cpp '#include "host/io/io.hpp"'
# tests
planted host/model/x.cpp '#include "tests/support/oracle.hpp"'
planted host/cuda/x.cpp '#include "../../tests/support/oracle.hpp"'
planted kernels/x.cu '#include "tests/support/oracle.hpp"'
planted tools/x.cpp '#include "tests/support/oracle.hpp"'
planted host/model/x.cpp '#include <catch2/catch.hpp>'

# An empty tree is an error, not a success.
rm -rf "${tree:?}"/*
cases=$((cases + 1))
status=0
"$check" "$tree" >/dev/null 2>&1 || status=$?
[[ $status == 2 ]] || fail "an empty tree: exit code $status instead of 2"

echo "check_includes.sh: $cases cases, $failures failures"
((failures == 0))
