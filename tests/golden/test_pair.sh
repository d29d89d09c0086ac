#!/usr/bin/env bash
# tools/pair.sh says that a build is slower where it is, and reads the shape that was asked for.
set -euo pipefail
pair=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/tools/pair.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Usage: build NAME MILLISECONDS: a program that prints a step's time, and beside B a shape whose name begins alike.
build() {
  mkdir -p "$work/$1/bin"
  cat >"$work/$1/bin/vae_cuda_bench" <<END
#!/bin/sh
echo shape,ms_per_step
case "\$3" in
  B) echo B,$2; echo B-K50,1000 ;;
  twice) echo twice,1; echo twice,2 ;;
  none) ;;
  *) echo \$3,$2 ;;
esac
END
  chmod +x "$work/$1/bin/vae_cuda_bench"
}
expect() { # CODE PATTERN OPTIONS...
  local code=0
  "$pair" "$work/old" "$work/$3" "${@:4}" >"$work/out" 2>&1 || code=$?
  if ((code != $1)) || ! grep -q "$2" "$work/out"; then
    echo "${*:3}: exit code $code instead of $1, or no '$2'" >&2
    cat "$work/out" >&2
    exit 1
  fi
}

build old 2.0
build same 2.0
build slower 2.2
build faster 1.6
expect 0 '^| A | 6 | 2 | 1.0000 | 1.0000 to 1.0000 | 1.0000 |' same --shapes A --rounds 6 --out "$work/first"
expect 0 '^| B | 6 | 2 | 1.2500 |' faster --shapes B --rounds 6
expect 1 '^| B | 6 | 2 | 0.9091 |.*| slower |' slower --shapes A,B --rounds 6
expect 0 '^| A | 12 | 2 |' same --shapes A --rounds 6 --add "$work/first"
expect 0 '^| A | 6 | 2 |' same --rounds 0 --add "$work/first"
expect 1 'no ms_per_step of a shape twice' same --shapes twice --rounds 6
expect 1 'no ms_per_step of a shape none' same --shapes none --rounds 6
expect 2 '6 to 500' same --shapes A --rounds 5
head -n 16 "$work/first" >"$work/few"
expect 1 '5 rounds are too few' same --rounds 0 --add "$work/few"
echo "said each of them"
