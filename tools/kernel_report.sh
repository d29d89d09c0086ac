#!/usr/bin/env bash
# What the compiler made of the kernels: a table from the objects of a CUDA build.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'USAGE'
Usage: tools/kernel_report.sh [--all] [BUILD]
Prints a table of what nvcc made of the kernels in BUILD [build], by the toolkit's cuobjdump: for each kernel and
architecture instructions, registers, static shared and local memory, occupancy at its block size, widths of global
loads and stores, instructions of FP64.
  --all     a row for each instance of a template [a row for each kernel, with what holds for all of its instances]
  --update  puts the table into docs/kernels.md
cuobjdump is looked for in $CUOBJDUMP, on the PATH, beside the build's nvcc, and among Python's packages (pip's
nvidia-cuda-cuobjdump).
Exit code: 0 printed, 2 wrong options or no kernels in BUILD, 77 no cuobjdump.
USAGE
}

build=
options=()
for argument in "$@"; do
  case $argument in
    --all | --update) options+=("$argument") ;;
    -h | --help)
      usage
      exit 0
      ;;
    -*)
      printf "kernel_report.sh: unknown option '%s'\n" "$argument" >&2
      usage >&2
      exit 2
      ;;
    *)
      if [[ -n $build ]]; then
        echo "kernel_report.sh: one BUILD, not '$build' and '$argument'" >&2
        exit 2
      fi
      build=$argument
      ;;
  esac
done
exec python3 "$root/tools/kernel_report.py" ${options[@]+"${options[@]}"} "${build:-$root/build}"
