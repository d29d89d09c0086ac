#!/usr/bin/env bash
# Whether a build's training steps are as fast as another's: both in turn, round by round, and the older one against itself.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'EOF'
Usage: tools/pair.sh OLD NEW [--shapes LIST] [--rounds N] [--threads N] [--time-limit S] [--least RATIO] [--out FILE]
OLD and NEW are folders of builds (with bin/vae_cuda_bench) or commits, which are built. Each round measures OLD, NEW and
OLD again in turn, in an order that turns. Prints for each shape the time of OLD's step over NEW's (above 1: NEW is
faster) with its 95 % interval over the rounds, and the same of OLD against OLD, which says what the machine itself does.
  --shapes LIST    of vae_cuda_bench step --list [A,B,E-1024,G]
  --rounds N       [15]
  --threads N      CPU threads [the processors here]
  --time-limit S   seconds of each measurement [1]
  --least RATIO    a shape whose interval's lower end is below this, and below that of OLD against OLD, has failed [0.97]
  --out FILE       every measurement: shape,round,which,milliseconds
Exit code: 0 none has failed, 1 one has, or a program failed, 2 wrong options.
EOF
}

die() {
  printf 'pair.sh: %s\n' "$1" >&2
  exit "${2:-2}"
}

shapes=A,B,E-1024,G
rounds=15
threads=$jobs
limit=1
least=0.97
out=
builds=()
while (($# > 0)); do
  case $1 in
    --shapes | --rounds | --threads | --time-limit | --least | --out)
      (($# > 1)) || die "$1 needs a value"
      case $1 in
        --shapes) shapes=$2 ;;
        --rounds) rounds=$2 ;;
        --threads) threads=$2 ;;
        --time-limit) limit=$2 ;;
        --least) least=$2 ;;
        --out) out=$2 ;;
      esac
      shift 2
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    -*) die "unknown option '$1'" ;;
    *)
      builds+=("$1")
      shift
      ;;
  esac
done
((${#builds[@]} == 2)) || die "two builds are compared: OLD and NEW"
if ! [[ $rounds =~ ^[0-9]+$ ]] || ((rounds < 5)); then die "--rounds $rounds: at least 5, for an interval"; fi

work=$(mktemp -d)
cleanup() {
  for tree in "$work"/source-*; do
    if [[ -d $tree ]]; then git -C "$root" worktree remove --force "$tree"; fi
  done
  rm -rf "$work"
}
trap cleanup EXIT

# Usage: bench_of BUILD-OR-COMMIT NAME: sets `bench` to its vae_cuda_bench
bench_of() {
  if [[ -x $1/bin/vae_cuda_bench ]]; then
    bench=$1/bin/vae_cuda_bench
    return
  fi
  git -C "$root" rev-parse --verify --quiet "$1^{commit}" >/dev/null || die "$1: neither a build with bin/vae_cuda_bench nor a commit"
  echo "building $1"
  git -C "$root" worktree add --quiet --detach --force "$work/source-$2" "$1"
  logged "$work/$2.log" cmake -S "$work/source-$2" -B "$work/build-$2" -DCMAKE_BUILD_TYPE=Release -DVAECUDA_CUDA=OFF \
    -DBUILD_TESTING=OFF -DVAECUDA_UNITY=ON
  logged "$work/$2.log" cmake --build "$work/build-$2" --parallel "$jobs" --target vae_cuda_bench
  bench=$work/build-$2/bin/vae_cuda_bench
}
bench_of "${builds[0]}" old
old=$bench
bench_of "${builds[1]}" new
new=$bench

measured=$work/measured.csv
echo "shape,round,which,milliseconds" >"$measured"
# Usage: measure SHAPE ROUND WHICH: one step's time, appended
measure() {
  local program=$old document
  if [[ $3 == new ]]; then program=$new; fi
  document=$("$program" step --shape "$1" --threads "$threads" --time-limit "$limit" --device cpu --csv 2>"$work/error") ||
    die "$program step --shape $1 failed: $(tail -n 1 "$work/error")" 1
  awk -F, -v shape="$1" -v round="$2" -v which="$3" '
    NR == 1 { for (i = 1; i <= NF; ++i) if ($i == "ms_per_step") column = i; next }
    { found = 1; printf "%s,%d,%s,%s\n", shape, round, which, $column }
    END { if (!column || !found) exit 1 }' <<<"$document" >>"$measured" || die "$program step --csv has no ms_per_step" 1
}
for ((round = 1; round <= rounds; ++round)); do
  for shape in ${shapes//,/ }; do
    order=(old new again)
    for ((i = 0; i < 3; ++i)); do measure "$shape" "$round" "${order[(i + round) % 3]}"; done
  done
  printf '\rround %d of %d' "$round" "$rounds" >&2
done
printf '\n' >&2
if [[ -n $out ]]; then cp "$measured" "$out"; fi

# Intervals of the mean logarithm by Student's t.
awk -F, -v least="$least" '
  function interval(kind, shape,    n, i, sum, squares, mean, half) {
    n = rounds_of[shape]; sum = squares = 0
    for (i = 1; i <= n; ++i) sum += log_of[kind, shape, i]
    mean = sum / n
    for (i = 1; i <= n; ++i) squares += (log_of[kind, shape, i] - mean) ^ 2
    half = t_of(n - 1) * sqrt(squares / (n - 1) / n)
    ratio = exp(mean); low = exp(mean - half); high = exp(mean + half)
  }
  function t_rest(z, f) { return (3 * z ^ 7 + 19 * z ^ 5 + 17 * z ^ 3 - 15 * z) / (384 * f ^ 3) }
  # Two-sided 95 %; within 0.005 from 4 degrees of freedom on (Cornish and Fisher).
  function t_of(f,    z) {
    z = 1.959964
    z += (z ^ 3 + z) / (4 * f) + (5 * z ^ 5 + 16 * z ^ 3 + 3 * z) / (96 * f ^ 2) + t_rest(z, f)
    return z
  }
  NR > 1 {
    if (!($1 in rounds_of)) order[++shapes] = $1
    if ($2 > rounds_of[$1]) rounds_of[$1] = $2
    time[$1, $2, $3] = $4
  }
  END {
    print "| shape | OLD ms | OLD/NEW | 95 % | OLD/OLD | 95 % | |"
    print "|---|---|---|---|---|---|---|"
    for (s = 1; s <= shapes; ++s) {
      shape = order[s]; total = 0
      for (i = 1; i <= rounds_of[shape]; ++i) {
        log_of["new", shape, i] = log(time[shape, i, "old"] / time[shape, i, "new"])
        log_of["again", shape, i] = log(time[shape, i, "old"] / time[shape, i, "again"])
        total += time[shape, i, "old"]
      }
      interval("again", shape); same = ratio; same_low = low; same_high = high
      interval("new", shape)
      bad = low < least && low < same_low
      failed += bad
      printf "| %s | %.4g | %.4f | %.4f to %.4f |", shape, total / rounds_of[shape], ratio, low, high
      printf " %.4f | %.4f to %.4f | %s |\n", same, same_low, same_high, bad ? "slower" : ""
    }
    exit failed > 0
  }' "$measured"
