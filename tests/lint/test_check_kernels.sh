#!/usr/bin/env bash
# check_kernels.py finds what it is for.
set -euo pipefail
check=$(dirname "${BASH_SOURCE[0]}")/check_kernels.py
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/kernels/device" "$tree/docs"
echo '[copy](../kernels/copy.cu)' >"$tree/docs/kernels.md"
cat >"$tree/kernels/device/tile.cuh" <<'CUDA'
inline Tile this_tile() {
  return Tile{blockIdx.x, gridDim.x};
}
CUDA
whole=$(cat <<'CUDA'
/// What blockIdx.x is for, and this_tile().
inline void set(Config& config, unsigned blocks) { config.gridDim = blocks; }
/// Equation: to (N) = from (N), of which
///   a thread has one element.
/// Threads: one an element.
/// Bytes: an element: 4 read, 4 written.
/// Alignment: any.
/// Determinism: a copy.
/// Faults: none is raised.
template <typename T,
          int kThreads>
__device__ __forceinline__ void copy_tile(const CopyArgs& args, device::Tile tile) {
  if (tile.index < args.count) { args.to[tile.index] = args.from[tile.index]; }
}

template <typename T, int kThreads>
__global__ void __launch_bounds__(device::Block<kThreads>::kThreads) copy_kernel(const CopyArgs args) {
  copy_tile<T, kThreads>(args, device::this_tile());
}

/// Equation: none.
/// Threads: a warp.
/// Bytes: none.
/// Alignment: none.
/// Determinism: none.
__global__ void empty_kernel() {}
CUDA
)

failures=0
# Usage: expect CODE TEXT
expect() {
  local code=0 output
  output=$(python3 "$check" "$tree" 2>&1) || code=$?
  if [[ $code != "$1" || $output != *"$2"* ]]; then
    printf 'expected exit code %s and "%s", got %s and:\n%s\n' "$1" "$2" "$code" "$output"
    failures=$((failures + 1))
  fi
}
# Usage: planted SED-SCRIPT TEXT: the script breaks the kernels, which must be said with the text.
planted() {
  sed "$1" <<<"$whole" >"$tree/kernels/copy.cu"
  if [[ $(<"$tree/kernels/copy.cu") == "$whole" ]]; then
    echo "changes nothing: $1"
    failures=$((failures + 1))
  fi
  expect 1 "$2"
}

expect 2 'no kernel'
printf '%s\n' "$whole" >"$tree/kernels/copy.cu"
expect 0 '2 kernels, 0 complaints'
planted 's/< args.count/< gridDim.x/' 'kernels/copy.cu:13: gridDim: take a device::Tile'
planted 's/args.to\[tile.index\]/args.to[blockIdx.x]/' 'kernels/copy.cu:13: blockIdx: take a device::Tile'
planted 's/this_tile());/Tile{blockIdx.x, 1});/' 'kernels/copy.cu:18: blockIdx'
planted 's/< args.count/< device::this_tile().count/' 'kernels/copy.cu:13: only a __global__ function calls this_tile()'
planted 's/^  copy_tile.*/  if (args.count == 0) return;\n&/' 'copy_kernel: its one statement calls copy_tile'
planted 's/^  copy_tile</  move_tile</' 'copy_kernel: its one statement calls copy_tile'
planted 's/__ void copy_tile/__ void move_tile/' 'in this file'
planted 's/void copy_tile/bool copy_tile/' 'in this file'
planted 's/copy_kernel/copy_all/' 'a kernel is `__global__ void NAME_kernel'
planted 's/empty_kernel() {}/empty_kernel() { wait(); }/' 'empty_kernel: its one statement calls empty_tile'
for label in Equation Threads Bytes Alignment Determinism; do
  planted "0,/^\/\/\/ $label: .*/{//d}" 'copy_tile: '
  planted "14,\${/^\/\/\/ $label: .*/d}" 'empty_kernel: the labels of a contract are'
done
planted '0,/^\/\/\/ Faults: .*/{//d};/^\/\/\/ Threads: one/i /// Faults: none is raised.' 'here Equation, Faults, Threads'
planted '/^\/\/\/ Faults: /i /// Bytes: again.' 'here Equation, Threads, Bytes, Alignment, Determinism, Bytes, Faults'
planted 's/^\/\/\/ Faults: /\/\/\/ Remarks: /' 'here Equation, Threads, Bytes, Alignment, Determinism, Remarks'
planted 's/one an element\.$/& Bytes: 8./' 'copy_tile: a label begins a line'
planted 's/^\/\/\/   a thread/\/\/\/ a thread/' 'copy_tile: neither a label nor an indented line'
planted '/^\/\/\/ /d' 'here none'
planted 's/^template <typename T,/\n&/' 'copy_tile: the labels of a contract are'
printf '%s\n' "$whole" >"$tree/kernels/copy.cu"
expect 0 '0 complaints'
echo 'copy' >"$tree/docs/kernels.md"
expect 1 'kernels/copy.cu:1: docs/kernels.md has no link to it'
if ((failures)); then exit 1; fi
echo "check_kernels.py finds and fails as it should"
