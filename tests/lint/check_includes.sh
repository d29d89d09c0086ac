#!/usr/bin/env bash
# Checks who may know whom: tools -> include <- host -> kernels -> kernels/math, and no arrow back.
# Usage: check_includes.sh [FOLDER]   (the source tree; by default the one that this script is in)
# Exit code: 0 kept, 1 broken (one line each), 2 nothing to check.
set -euo pipefail
lint=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${1:-$lint/../..}"
# shellcheck source=tests/lint/rooms.sh
source "$lint/rooms.sh"

sources() {
  find "${rooms[@]}" -type f \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' -o -name '*.c' -o -name '*.cu' \
    -o -name '*.cuh' \) | sort
}
# "FILE:LINE:#include ..." of every include
includes() {
  sources | tr '\n' '\0' | xargs -0 grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' || true
}

awk -F: '
# Takes "." and ".." out of a path.
function normal(path,    part, n, i, kept, out) {
  n = split(path, part, "/")
  kept = 0
  for (i = 1; i <= n; ++i) {
    if (part[i] == "" || part[i] == ".") continue
    if (part[i] == ".." && kept > 0) { --kept; continue }
    stack[++kept] = part[i]
  }
  out = stack[1]
  for (i = 2; i <= kept; ++i) out = out "/" stack[i]
  return out
}
# What an include names: a path in the tree, or std, cuda, cuda-library, blas, catch, json, other.
function meaning(name, quoted, folder,    near) {
  near = normal(folder "/" name)
  if (quoted && near in tree) return near
  # Our own rooms count as ours even if the file is not there.
  if (name ~ /^vaecuda\//) return "include/" name
  if (name in tree || name ~ /^(host|kernels|tools|tests)\//) return normal(name)
  if (name ~ /^\.\.?\//) return near
  if (name ~ /^[a-z0-9_]+$/) return "std"
  if (name ~ /^(assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|signal)\.h$/ ||
      name ~ /^(stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|tgmath|threads|time|uchar|wchar|wctype)\.h$/)
    return "std"
  if (name ~ /^(thrust|cub)\// || name ~ /^cublas/) return "cuda-library"
  if (name ~ /^(cuda|curand|cusparse|cusolver|cufft|cudnn|cupti|nvrtc|nvml|nvtx|nvToolsExt|nccl)/ ||
      name ~ /^(cooperative_groups|device_launch|device_functions|vector_types|vector_functions|driver_types)/ ||
      name ~ /^(math_constants|mma|sm_[0-9]+|nv\/)/ || name ~ /\.cuh?$/)
    return "cuda"
  if (name ~ /^(cblas|openblas|f77blas|lapacke)/) return "blas"
  if (name ~ /^catch2\//) return "catch"
  if (name ~ /^nlohmann\//) return "json"
  return "other"
}
# Why a file may not include a thing; empty where it may.
function reason(file, what) {
  if (what ~ /^tests\// || what == "catch") return "the product does not know its tests"
  if (what == "blas" && file !~ /^host\/cpu\//) return "only host/cpu/ knows OpenBLAS"
  if (file ~ /^include\//)
    return (what == "std" || what ~ /^include\/vaecuda\//) ? "" : "public headers stand on the standard library alone"
  if (file ~ /^kernels\/math\//)
    return (what == "std" || what ~ /^kernels\/math\//) ? "" : "kernels/math/ knows itself and the standard library alone"
  if (file ~ /^kernels\//) {
    if (what ~ /^(host|include|tools)\//) return "kernels know neither the orchestrator nor the public API"
    if (what == "cuda-library" && file !~ /^kernels\/library\//) return "cuBLAS, Thrust and CUB stay in kernels/library/"
    return ""
  }
  if (file ~ /^host\//) {
    if (what ~ /^tools\//) return "the library does not know its tools"
    if (what == "json") return "a lack of memory in its destructor ends the process: use host/model/json_scanner or json_writer"
    if (file ~ /^host\/cuda\//) return ""
    if (what == "cuda" || what == "cuda-library") return "outside host/cuda/ the orchestrator knows no CUDA"
    if (what ~ /^kernels\// && what !~ /^kernels\/math\//) return "outside host/cuda/ the orchestrator knows of kernels only kernels/math/"
    return ""
  }
  if (what ~ /^include\/vaecuda\// || what ~ /^tools\// || what == "std" || what == "json" || what == "other") return ""
  if (what ~ /^host\/plan\// && file ~ /^tools\/(vae_cuda_)?bench/) return ""
  return "tools are written against the public API (the benchmark may use host/plan/)"
}
NR == FNR { tree[$0]; ++files; next }
{
  text = $0
  sub(/^[^:]*:[^:]*:[ \t]*#[ \t]*include[ \t]*/, "", text)
  quoted = substr(text, 1, 1) == "\""
  name = substr(text, 2)
  sub(/[">].*$/, "", name)
  folder = $1
  sub(/\/[^\/]*$/, "", folder)
  ++seen
  why = reason($1, meaning(name, quoted, folder))
  if (why != "") {
    printf "%s:%s: includes %s: %s\n", $1, $2, quoted ? "\"" name "\"" : "<" name ">", why
    ++broken
  }
}
END {
  if (seen == 0) { print "check_includes.sh: no include found"; exit 2 }
  printf "%d includes in %d files, %d against the rules\n", seen, files, broken
  exit broken > 0
}' <(sources) <(includes)
