#!/usr/bin/env bash
# Whether a build's training steps are as fast as another's: both in turn, round by round, and the older one against itself.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'EOF'
Usage: tools/pair.sh OLD NEW [--shapes LIST] [--rounds N] [--threads N] [--time-limit S] [--least RATIO] [--out FILE]
                     [--add FILE]...
OLD and NEW are folders of builds (with bin/vae_cuda_bench) or commits, which are built. Each round measures OLD, NEW and
OLD again in turn, in an order that turns. Prints for each shape the median over the rounds of the time of OLD's step over
NEW's (above 1: NEW is faster) with its 95 % interval, and the same of OLD against OLD, which says what the machine itself
does. The interval is that of a median, by ranks: rounds in which the machine had other work do not widen it.
  --shapes LIST    of vae_cuda_bench step --list [A,B,E-1024,G]
  --rounds N       6 to 500 [15]
  --threads N      CPU threads [the processors here]
  --time-limit S   seconds of each measurement [1]
  --least RATIO    a shape whose interval's lower end is below this, and below that of OLD against OLD, has failed [0.97]
  --out FILE       every measurement: shape,round,which,milliseconds
  --add FILE       counts what --out wrote before, of the same builds; --rounds 0 measures nothing more
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
added=()
builds=()
while (($# > 0)); do
  case $1 in
    --shapes | --rounds | --threads | --time-limit | --least | --out | --add)
      (($# > 1)) || die "$1 needs a value"
      case $1 in
        --shapes) shapes=$2 ;;
        --rounds) rounds=$2 ;;
        --threads) threads=$2 ;;
        --time-limit) limit=$2 ;;
        --least) least=$2 ;;
        --out) out=$2 ;;
        --add)
          [[ -r $2 ]] || die "$2: cannot be read"
          added+=("$2")
          ;;
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
if ! [[ $rounds =~ ^[0-9]+$ ]] || ((rounds > 500)) || ((rounds < 6 && ${#added[@]} == 0)); then
  die "--rounds $rounds: 6 to 500, for an interval"
fi

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
if ((rounds > 0)); then
  bench_of "${builds[0]}" old
  old=$bench
  bench_of "${builds[1]}" new
  new=$bench
fi

measured=$work/measured.csv
echo "shape,round,which,milliseconds" >"$measured"
# Usage: measure SHAPE ROUND WHICH: one step's time, appended
measure() {
  local program=$old document
  if [[ $3 == new ]]; then program=$new; fi
  document=$("$program" step --shape "$1" --threads "$threads" --time-limit "$limit" --device cpu --csv 2>"$work/error") ||
    die "$program step --shape $1 failed: $(tail -n 1 "$work/error")" 1
  awk -F, -v shape="$1" -v round="$2" -v which="$3" '
    NR == 1 { for (i = 1; i <= NF; ++i) { if ($i == "ms_per_step") column = i; if ($i == "shape") name = i } next }
    $name == shape { ++found; printf "%s,%d,%s,%s\n", shape, round, which, $column }
    END { if (!column || found != 1) exit 1 }' <<<"$document" >>"$measured" ||
    die "$program step --csv has no ms_per_step of a shape $1" 1
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

# A round is counted where all three are there.
awk -F, -v least="$least" '
  # The median and the ranks between which it lies with 95 %: at most 2.5 % of fair coins give fewer heads than the lower.
  function interval(kind, shape,    n, i, j, swap, share, sum, rank) {
    n = rounds_of[shape]
    for (i = 1; i <= n; ++i) sorted[i] = time[shape, i, "old"] / time[shape, i, kind]
    for (i = 2; i <= n; ++i)
      for (j = i; j > 1 && sorted[j] < sorted[j - 1]; --j) { swap = sorted[j]; sorted[j] = sorted[j - 1]; sorted[j - 1] = swap }
    share = 2 ^ -n; sum = share; rank = 0
    while (sum <= 0.025 && rank < n / 2) { ++rank; share *= (n - rank + 1) / rank; sum += share }
    if (rank < 1) { print "pair.sh: " shape ": " n " rounds are too few for an interval" > "/dev/stderr"; exit failed = 1 }
    ratio = (sorted[int((n + 1) / 2)] + sorted[int(n / 2) + 1]) / 2
    low = sorted[rank]; high = sorted[n + 1 - rank]
  }
  FNR == 1 { ++file; next }
  {
    if (!($1 in rounds_of)) { order[++shapes] = $1; rounds_of[$1] = 0 }
    at[$1, $3] = $4
    seen[file, $1, $2] = seen[file, $1, $2] $3 " "
    if (split(seen[file, $1, $2], all, " ") == 3) {
      ++rounds_of[$1]
      for (which in all) time[$1, rounds_of[$1], all[which]] = at[$1, all[which]]
    }
  }
  END {
    print "| shape | rounds | OLD ms | OLD/NEW | 95 % | OLD/OLD | 95 % | |"
    print "|---|---|---|---|---|---|---|---|"
    for (s = 1; s <= shapes; ++s) {
      shape = order[s]; total = 0
      for (i = 1; i <= rounds_of[shape]; ++i) total += time[shape, i, "old"]
      interval("again", shape); same = ratio; same_low = low; same_high = high
      interval("new", shape)
      bad = low < least && low < same_low
      failed += bad
      printf "| %s | %d | %.4g | %.4f | %.4f to %.4f |", shape, rounds_of[shape], total / rounds_of[shape], ratio, low, high
      printf " %.4f | %.4f to %.4f | %s |\n", same, same_low, same_high, bad ? "slower" : ""
    }
    exit failed > 0
  }' "${added[@]}" "$measured"
