#!/usr/bin/env bash
# Training steps of vae_cuda_bench beside the same steps in PyTorch and JAX: all in turn, round by round.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'USAGE'
Usage: tools/compare.sh [options]
Measures a whole training step of vaecuda and of the peers in turn, for every shape and precision, and prints a Markdown
table: milliseconds per step, and in brackets how many times ours is faster, the median of the ratios per round.
  --bench PROGRAM      the vae_cuda_bench to measure [build/bin/vae_cuda_bench]
  --device cpu|cuda    [cpu]
  --shapes LIST        names (A B C D E F G W, or one batch size of them: C-128, B-K50), all, or shapes of your own as
                       INPUT-HIDDEN-...-LATENT@BATCH[xSAMPLES], such as 784-512-256-64@1024 [A,B,C,E,G]
  --precision LIST     fp32,tf32,bf16; the CPU has fp32 alone [fp32]
  --rounds N           [5]
  --threads N          CPU threads of every program [the processors here]
  --peers LIST         torch,jax [those that are installed]
  --torch-modes LIST   eager,compile,cudagraph,compile+cudagraph [all that this PyTorch and the device have]
  --jax-modes LIST     scan,scan+unroll [both]
  --run-limit SECONDS  a program that takes longer is stopped and counts as failed [300]
  --retries N          a run during which other programs took more than 5 % of the processors is repeated so often at
                       the most, and the quietest one counts [0]
  --time-limit SECONDS nothing is begun after so much time; what is left out is named [none]
  --out FILE           the report as JSON
PYTHON_TORCH and PYTHON_JAX name the Python to use [python3 or /usr/bin/python3, whichever has the package].
On a CPU, Debian's PyTorch (apt-get install python3-torch libopenblas0-openmp) is measured as it is installed
and with the BLAS kernels of this processor's instruction set, which an OpenBLAS older than the processor does not find.
What the environment says to OpenBLAS and OpenMP (OPENBLAS_CORETYPE, OMP_NUM_THREADS, ...) is dropped for all programs.
Exit code: 0 all measured (what vaecuda or a peer refuses is named), 1 a program failed, 2 wrong options, 5 no GPU.
USAGE
}

die() {
  printf 'compare.sh: %s\n' "$1" >&2
  exit "${2:-2}"
}

# Name, network @ batch size x samples per row. A name without its ending stands for all of its kind.
shape_table='A 784-400-20@128
B 784-200-200-50@20
B-K50 784-200-200-50@20x50
C-128 2000-128-128-30@128
C-1024 2000-128-128-30@1024
D-500 20108-600-200@500
D-24576 20108-600-200@24576
E-256 304-512-512-32@256
E-1024 304-512-512-32@1024
E-4096 304-512-512-32@4096
F 4096-1200-1200-10@2048
G 18-20-15-7-2@128
W 4096-4096-4096-512@8192'

bench=build/bin/vae_cuda_bench
device=cpu
shapes=A,B,C,E,G
precisions=fp32
rounds=5
threads=$(nproc)
peers=
torch_modes=
jax_modes=scan,scan+unroll
run_limit=300
retries=0
time_limit=0
out=

command_line="tools/compare.sh $*"
# Relative names are the caller's, not the repository's.
caller=$PWD
from_caller() {
  case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s/%s' "$caller" "$1" ;;
  esac
}
while (($#)); do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --bench | --device | --shapes | --precision | --rounds | --threads | --peers | --torch-modes | --jax-modes | \
      --run-limit | --retries | --time-limit | --out)
      (($# >= 2)) || die "$1 needs a value"
      ;;
    *) die "unknown option '$1'; --help lists the options" ;;
  esac
  case $1 in
    --bench) bench=$(from_caller "$2") ;;
    --device) device=$2 ;;
    --shapes) shapes=$2 ;;
    --precision) precisions=$2 ;;
    --rounds) rounds=$2 ;;
    --threads) threads=$2 ;;
    --peers) peers=$2 ;;
    --torch-modes) torch_modes=$2 ;;
    --jax-modes) jax_modes=$2 ;;
    --run-limit) run_limit=$2 ;;
    --retries) retries=$2 ;;
    --time-limit) time_limit=$2 ;;
    --out) out=$(from_caller "$2") ;;
  esac
  shift 2
done

cd "$root"
for number in "$rounds" "$threads" "$run_limit"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || die "'$number' is not a positive number"
done
[[ $retries =~ ^[0-9]+$ ]] || die "--retries: '$retries' is not a number of runs"
[[ $time_limit =~ ^[0-9]+$ ]] || die "--time-limit: '$time_limit' is not a number of seconds"
case $device in cpu | cuda) ;; *) die "--device: '$device' is neither cpu nor cuda" ;; esac
IFS=, read -ra precision_list <<<"$precisions"
for precision in "${precision_list[@]}"; do
  case $precision in
    fp32) ;;
    tf32 | bf16) [[ $device == cuda ]] || die "--precision $precision needs --device cuda" ;;
    *) die "--precision: '$precision' is none of fp32, tf32, bf16" ;;
  esac
done
[[ -x $bench ]] || die "$bench is not there; build it, or name it with --bench"

# Usage: find_shapes LIST: lines of name and network
find_shapes() {
  local name lines
  local -a names
  IFS=, read -ra names <<<"$1"
  for name in "${names[@]}"; do
    if [[ $name =~ ^[1-9][0-9]*(-[1-9][0-9]*){2,}@[1-9][0-9]*(x[1-9][0-9]*)?$ ]]; then
      echo "$name $name"
    else
      lines=$(awk -v name="$name" '$1 == name || index($1, name "-") == 1 || name == "all"' <<<"$shape_table")
      [[ -n $lines ]] || die "--shapes: '$name' is neither a name nor INPUT-HIDDEN-...-LATENT@BATCH[xSAMPLES]"
      echo "$lines"
    fi
  done
}
shape_lines=$(find_shapes "$shapes")

command -v python3 >/dev/null || die "python3 is needed" 1
# Usage: find_python MODULE [CHOICE]: a Python that has the module, or nothing
find_python() {
  local python
  for python in ${2:-python3 /usr/bin/python3}; do
    if "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)" 2>/dev/null; then
      command -v "$python"
      return
    fi
  done
}
torch_python=$(find_python torch "${PYTHON_TORCH:-}")
jax_python=$(find_python jax "${PYTHON_JAX:-}")
if [[ -z $peers ]]; then
  peers=${torch_python:+torch,}${jax_python:+jax,}
  [[ -n $peers ]] || die "neither PyTorch nor JAX is installed" 1
fi
IFS=, read -ra peer_list <<<"$peers"
for peer in "${peer_list[@]}"; do
  case $peer in
    torch) [[ -n $torch_python ]] || die "PyTorch is not installed" 1 ;;
    jax) [[ -n $jax_python ]] || die "JAX is not installed" 1 ;;
    *) die "--peers: '$peer' is neither torch nor jax" ;;
  esac
done

# A setting that one program heeds and another does not, or that this script overrules for one of them alone, would make
# the ratio meaningless.
for name in $(compgen -e | grep -E '^(OPENBLAS|GOTO|OMP|GOMP|KMP|MKL|BLIS)_' || true); do
  printf 'dropped from the environment: %s=%s\n' "$name" "${!name}" >&2
  unset "$name"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1
# What a peer compiled or tuned in one round serves the next.
export TORCHINDUCTOR_CACHE_DIR=$work/inductor JAX_COMPILATION_CACHE_DIR=$work/jax

# A fair PyTorch on a CPU: a BLAS that shares its OpenMP threads (Debian's default BLAS starts its own), and a malloc
# that keeps large activations mapped from step to step. Other builds of PyTorch bring their BLAS along.
torch_command=("$torch_python")
torch_kernels=
torch_facts=
if [[ $peers == *torch* ]]; then
  torch_facts=$("$torch_python" -c 'import torch
print("mkl" if "BLAS_INFO=mkl" in torch.__config__.show() else "", "compile" if hasattr(torch, "compile") else "")')
fi
if [[ $peers == *torch* && $device == cpu ]]; then
  libraries=/usr/lib/$(uname -m)-linux-gnu/openblas-openmp
  torch_command=(env "OMP_NUM_THREADS=$threads" MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 "$torch_python")
  if [[ $torch_facts != *mkl* ]]; then
    [[ -e $libraries/libblas.so.3 ]] || die "this PyTorch uses the system's BLAS: install libopenblas0-openmp" 1
    torch_command=(env "LD_LIBRARY_PATH=$libraries" "${torch_command[@]:1}")
    if grep -qw avx512bw /proc/cpuinfo; then
      torch_kernels=SkylakeX
    elif grep -qw avx2 /proc/cpuinfo; then
      torch_kernels=Haswell
    fi
  fi
fi
if [[ -z $torch_modes ]]; then
  torch_modes=eager
  if [[ $device == cuda ]]; then torch_modes+=,cudagraph; fi
  if [[ $torch_facts == *compile* ]]; then
    torch_modes+=,compile
    if [[ $device == cuda ]]; then torch_modes+=,compile+cudagraph; fi
  fi
fi

no_time_left() { ((time_limit > 0 && SECONDS >= time_limit)); }

# Seconds that all processors together have worked since the system started.
busy_seconds() { awk -v hertz="$(getconf CLK_TCK)" '{ print ($2 + $3 + $4 + $7 + $8 + $9) / hertz; exit }' /proc/stat; }

# Runs a command once, with stdout, stderr, exit code, and the percentage of the processors' time that other programs
# took meanwhile, in FILE.out, .err, .code and .load.
# Usage: run_once FILE LIMIT COMMAND...
run_once() {
  local file=$1 limit=$2 code=0 busy TIMEFORMAT='%R %U %S'
  shift 2
  busy=$(busy_seconds)
  { time timeout --kill-after=5 "$limit" "$@" >"$file.out" 2>"$file.err" || code=$?; } 2>"$file.time"
  awk -v processors="$(getconf _NPROCESSORS_ONLN)" -v busy="$busy" -v now="$(busy_seconds)" \
    '{ others = now - busy - $2 - $3; printf "%.0f\n", ($1 > 0 && others > 0) ? 100 * others / $1 / processors : 0 }' \
    "$file.time" >"$file.load"
  echo "$code" >"$file.code"
}

# Runs one program, again where others kept the processors busy. One that gave nothing in a round is left out of the
# next. Usage: measure DIR NAME COMMAND...
declare -A silent=()
most_load=5
measure() {
  local dir=$1 name=$2 code key limit try part load least=100
  shift 2
  key=${dir%/*}/$name
  if [[ -n ${silent[$key]:-} ]]; then return; fi
  for ((try = 0; try <= retries; ++try)); do
    if no_time_left; then return; fi
    limit=$run_limit
    if ((time_limit > 0 && time_limit - SECONDS < limit)); then limit=$((time_limit - SECONDS)); fi
    run_once "$work/try" "$limit" "$@"
    code=$(<"$work/try.code")
    load=$(<"$work/try.load")
    if ((try > 0 && (code != 0 || load >= least))); then continue; fi
    least=$load
    # Stopped for the sake of the whole, not for its own slowness.
    if ((code == 124 || code == 137)) && ((limit < run_limit)); then echo late >"$work/try.code"; fi
    for part in out err code load; do mv "$work/try.$part" "$dir/$name.$part"; done
    if ((code != 0 || least <= most_load)); then break; fi
  done
  if [[ ! -s $dir/$name.out ]]; then silent[$key]=1; fi
  if [[ $name == ours && $code == 5 ]]; then
    printf '\n%s\n' "$(<"$dir/$name.err")" >&2
    exit 5
  fi
}

# Usage: measure_cell DIR NETWORK PRECISION
measure_cell() {
  local dir=$1 network=${2%@*} batch=${2#*@} precision=$3 samples=1
  if [[ $batch == *x* ]]; then
    samples=${batch#*x}
    batch=${batch%x*}
  fi
  local input=${network%%-*} latent=${network##*-} hidden=${network#*-}
  hidden=${hidden%-*}
  local same=(--input "$input" --hidden "${hidden//-/,}" --latent-dim "$latent" --batch-size "$batch" --device "$device"
    --precision "$precision" --threads "$threads")
  if ((samples > 1)); then same+=(--samples "$samples"); fi
  local peer
  mkdir -p "$dir"
  measure "$dir" ours "$bench" step "${same[@]}" --time-limit 3 --json
  for peer in "${peer_list[@]}"; do
    if [[ $peer == torch ]]; then
      measure "$dir" torch "${torch_command[@]}" tools/peers/torch_vae.py "${same[@]}" --mode "$torch_modes"
      if [[ -n $torch_kernels ]]; then
        measure "$dir" "torch,$torch_kernels" env "OPENBLAS_CORETYPE=$torch_kernels" "${torch_command[@]}" \
          tools/peers/torch_vae.py "${same[@]}" --mode "$torch_modes"
      fi
    else
      measure "$dir" jax "$jax_python" tools/peers/jax_vae.py "${same[@]}" --mode "$jax_modes"
    fi
  done
}

# Every shape gets its first round before any gets its second, so that a time limit costs rounds rather than shapes.
for ((round = 1; round <= rounds; ++round)); do
  cell=0
  while read -r name network; do
    for precision in "${precision_list[@]}"; do
      # Numbered, since the folders are read in this order.
      dir=$work/cells/$((100 + ++cell)),$name,$network,$precision
      mkdir -p "$dir"
      if no_time_left; then continue; fi
      printf 'round %d of %d: %s %s' "$round" "$rounds" "$name" "$precision" >&2
      measure_cell "$dir/$round" "$network" "$precision" </dev/null
      python3 tools/peers/summarize.py round "$dir/$round" >&2
    done
  done <<<"$shape_lines"
done
python3 tools/peers/summarize.py all "$work/cells" "$command_line" "$out"
