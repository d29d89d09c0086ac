#!/usr/bin/env bash
# Makes the Debian packages and looks into them: names, dependencies, contents, and a program built from their files.
# Usage: check_packages.sh [BUILD]   (by default build/packages, which is configured and built by the preset)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_tree=$(cd "$here/../.." && pwd)
cd "$source_tree"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=${1:-}
if [[ -z $build ]]; then
  build=build/packages
  cmake --preset packages >"$work/log" 2>&1 || { tail -n 20 "$work/log"; exit 1; }
  cmake --build --preset packages --parallel >"$work/log" 2>&1 || { tail -n 20 "$work/log"; exit 1; }
fi

failures=0
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

(cd "$work" && cpack --config "$source_tree/$build/CPackConfig.cmake" -B "$work" >"$work/log" 2>&1) ||
  { tail -n 20 "$work/log"; exit 1; }
version=$(<VERSION)
series=${version%.*}
triple=$(gcc -print-multiarch)
arch=$(dpkg --print-architecture)

# Usage: package NAME: its file
package() { echo "$work/$1_$version-1_$arch.deb"; }
# Usage: holds NAME FILE...: the package has them, FILE being a pattern of grep -E
holds() {
  local name=$1 file
  shift
  dpkg-deb -c "$(package "$name")" | awk '{ print $6 }' >"$work/contents"
  for file in "$@"; do
    grep -qE "^\./usr/$file\$" "$work/contents" || fail "$name has no $file"
  done
}
# Usage: depends NAME PACKAGE...: patterns of grep -E in its Depends
depends() {
  local name=$1 wanted given
  shift
  given=$(dpkg-deb -f "$(package "$name")" Depends)
  for wanted in "$@"; do
    grep -qE "(^|, )$wanted( |,|\$)" <<<"$given" || fail "$name does not depend on $wanted: $given"
  done
}
library=libvaecuda$series
for name in "$library" libvaecuda-dev vaecuda-tools; do
  [[ -e $(package "$name") ]] || { fail "no package $(package "$name")"; ls "$work"; continue; }
  holds "$name" "share/doc/$name/copyright" "share/doc/$name/changelog.Debian.gz"
  dpkg-deb -f "$(package "$name")" Description | grep . >/dev/null || fail "$name has no description"
  # Files that nobody but root can read, or a home or build folder in a path.
  if dpkg-deb -c "$(package "$name")" | awk '{ print $1, $6 }' | grep -vE '^(d?rwxr-xr-x|-rwxr-xr-x|-rw-r--r--|lrwxrwxrwx) \./(usr/|$)'; then
    fail "$name: odd permissions or places"
  fi
done
if ((failures == 0)); then
  holds "$library" "lib/$triple/libvaecuda.so.$series" "lib/$triple/libvaecuda.so.$version"
  holds libvaecuda-dev "lib/$triple/libvaecuda.so" "lib/$triple/libvaecuda.a" "lib/$triple/pkgconfig/vaecuda.pc" \
    "lib/$triple/cmake/vaecuda/vaecudaConfig.cmake" \
    include/vaecuda/vaecuda.h include/vaecuda/c/model.h include/vaecuda/vaecuda.hpp \
    share/vaecuda/python/vaecuda.py share/vaecuda/python/_vaecuda/__init__.py share/vaecuda/python/_vaecuda/library.py
  for program in vae_cuda vae_cuda_train vae_cuda_bench; do
    holds vaecuda-tools "bin/$program" "share/man/man1/$program.1.gz" "share/bash-completion/completions/$program"
  done
  holds vaecuda-tools share/vaecuda/presets/aevb.toml
  depends "$library" libc6 'libstdc[+][+]6' libgomp1 'libpng16-16(t64)?' zlib1g 'libfmt[0-9]+'
  depends libvaecuda-dev "$library" libfmt-dev libpng-dev zlib1g-dev
  depends vaecuda-tools libc6 libgomp1
  dpkg-deb --ctrl-tarfile "$(package "$library")" | tar -t | grep -x './shlibs' >/dev/null || fail "$library has no shlibs file"
  dpkg-deb --ctrl-tarfile "$(package "$library")" | tar -xO ./triggers 2>/dev/null | grep ldconfig >/dev/null ||
    fail "$library does not trigger ldconfig"

  # A program from the packages' files alone.
  for name in "$library" libvaecuda-dev vaecuda-tools; do dpkg-deb -x "$(package "$name")" "$work/root"; done
  cmake -S "$here" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$work/root/usr" >"$work/log" 2>&1 &&
    cmake --build "$work/consumer" >"$work/log" 2>&1 && "$work/consumer/consumer_cpp" "$work/run" >"$work/log" 2>&1 ||
    { fail "a program from the packages"; tail -n 20 "$work/log"; }
  "$work/root/usr/bin/vae_cuda_train" --version >/dev/null || fail "vae_cuda_train of the packages does not run"
fi
if command -v lintian >/dev/null; then
  lintian --tag-display-limit 0 --fail-on error "$work"/*.deb || fail "lintian"
else
  echo "lintian is not here, so it did not look at the packages"
fi
echo "check_packages.sh: $failures failures"
((failures == 0))
