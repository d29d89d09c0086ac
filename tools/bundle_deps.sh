#!/usr/bin/env bash
# Collects the third-party headers and libraries of a build in one folder, for machines without a network.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'USAGE'
Usage: tools/bundle_deps.sh DIR
Fills DIR with what vaecuda is built from: CLI11, nlohmann-json, toml++, fmt, Catch2, libpng, zlib, Boost.Context, and
of OpenBLAS what a matrix product in fp32 needs. Take DIR to a machine of the same architecture with g++, CMake and, for
a GPU, the CUDA toolkit, and configure there with -DVAECUDA_DEPS=DIR. Programs built so find libfmt, libpng and zlib in DIR
at run time.
Runs on Debian and Ubuntu. Takes the packages that are installed, downloads the others (apt-get download, no root
needed), installs nothing, and ends by configuring a build from DIR and running a program linked from it.
DIR must be empty, new, or an earlier bundle, which is replaced.
USAGE
}

die() {
  printf 'bundle_deps.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
  '' | -*)
    usage >&2
    exit 2
    ;;
esac
if (($# > 1)); then
  usage >&2
  exit 2
fi
dir=$(realpath -m "$1")
most_mib=40
if [[ -e $dir && ! -f $dir/MANIFEST ]] && [[ ! -d $dir || -n $(ls -A "$dir") ]]; then
  die "$dir is neither empty nor an earlier bundle" 2
fi
for tool in dpkg-query dpkg-deb apt-get g++ cmake ld objcopy nm; do
  command -v "$tool" >/dev/null || die "$tool is needed"
done

packages=(libcli11-dev nlohmann-json3-dev libtomlplusplus-dev libfmt-dev catch2 libopenblas-openmp-dev libpng-dev
  zlib1g-dev libboost-context-dev)
# Packages that the ones above name only indirectly: libraries and headers with a version in their name.
followed='^(libfmt[0-9.]+(t64)?|libpng16-16(t64)?|zlib1g(t64)?|libboost-context[0-9.]+-dev|libboost[0-9.]+-dev)$'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unpacked=$work/unpacked
bundle=$work/bundle
mkdir -p "$unpacked" "$work/deb" "$bundle/include" "$bundle/lib/cmake" "$bundle/licenses"
triple=$(g++ -print-multiarch)

heading "Packages"
declare -A provided=()
# Usage: provide PACKAGE: has its files in / or in $unpacked, and those of the packages that it names indirectly.
provide() {
  local package=$1 version depends deb next
  if [[ -n ${provided[$package]:-} ]]; then return; fi
  provided[$package]=1
  if dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -x installed >/dev/null; then
    version=$(dpkg-query -W -f '${Version}' "$package")
    depends=$(dpkg-query -W -f '${Depends}' "$package")
    echo "$package $version: installed"
  else
    mkdir -p "$work/deb/$package"
    if ! (cd "$work/deb/$package" && apt-get -qq -o APT::Sandbox::User=root download "$package") >"$work/log" 2>&1; then
      tail -n 3 "$work/log" >&2
      die "cannot download $package; is there a network, and has apt-get update been run?"
    fi
    deb=$(find "$work/deb/$package" -name '*.deb' -print -quit)
    dpkg-deb -x "$deb" "$unpacked"
    version=$(dpkg-deb -f "$deb" Version)
    depends=$(dpkg-deb -f "$deb" Depends)
    echo "$package $version: downloaded"
  fi
  echo "$package $version" >>"$bundle/MANIFEST"
  gzip -9nc "$(path_of "usr/share/doc/$package/copyright")" >"$bundle/licenses/$package.gz"
  for next in ${depends//[,|]/ }; do
    if [[ ${next%:*} =~ $followed ]]; then provide "${next%:*}"; fi
  done
}
# Usage: path_of FILE...: the first of them that is there
path_of() {
  local file
  for file in "$@"; do
    if [[ -e $unpacked/$file ]]; then
      echo "$unpacked/$file"
      return
    elif [[ -e /$file ]]; then
      echo "/$file"
      return
    fi
  done
  die "the packages have no $*"
}
for package in "${packages[@]}"; do
  provide "$package"
done

heading "Headers"
for folder in CLI nlohmann toml++ fmt catch2; do
  cp -rL "$(path_of "usr/include/$folder")" "$bundle/include/$folder"
done
for header in png.h pngconf.h pnglibconf.h zlib.h zconf.h; do
  cp -L "$(path_of "usr/include/$header" "usr/include/$triple/$header")" "$bundle/include/$header"
done
for header in cblas.h openblas_config.h; do
  cp -L "$(path_of "usr/include/$triple/openblas-openmp/$header")" "$bundle/include/$header"
done
# Of Boost's 160 MB only what its one header that we use includes, and what adapts that to other compilers.
boost=$(path_of usr/include/boost)
{
  echo '#include <boost/context/detail/fcontext.hpp>' | g++ -std=c++20 -I "${boost%/*}" -M -x c++ - |
    grep -o "$boost/[^ ]*"
  find -L "$boost/config" "$boost/version.hpp" -type f
} | sort -u | sed "s|^${boost%/*}/||" >"$work/boost-headers"
(cd "${boost%/*}" && xargs cp -L --parents -t "$bundle/include") <"$work/boost-headers"
du -sh "$bundle/include" | cut -f1

heading "Libraries"
cp -L "$(path_of "usr/lib/$triple/libboost_context.a")" "$bundle/lib/libboost_context.a"
soname() {
  objdump -p "$1" | awk '$1 == "SONAME" { print $2 }'
}
# Shared ones: the archives of these two are not position independent and cannot go into a shared library of ours. Under
# the name that programs look for, and under the one that linkers do.
for library in libz.so libpng.so; do
  file=$(path_of "usr/lib/$triple/$library")
  cp -L "$file" "$bundle/lib/$(soname "$file")"
  cp -L "$file" "$bundle/lib/$library"
done

# A package file for CMake, so that find_package finds the library in the bundle wherever that lies.
# Usage: cmake_package NAME VERSION TARGET FILE
cmake_package() {
  local name=$1 version=$2 target=$3 file=$4 folder=$bundle/lib/cmake/$1
  mkdir -p "$folder"
  cat >"$folder/${name}Config.cmake" <<CMAKE
if(NOT TARGET $target)
  get_filename_component(bundle_prefix "\${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
  add_library($target UNKNOWN IMPORTED)
  set_target_properties($target PROPERTIES IMPORTED_LOCATION "\${bundle_prefix}/lib/$file"
    INTERFACE_INCLUDE_DIRECTORIES "\${bundle_prefix}/include")
  unset(bundle_prefix)
endif()
CMAKE
  cat >"$folder/${name}ConfigVersion.cmake" <<CMAKE
set(PACKAGE_VERSION "$version")
if(NOT PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
CMAKE
}

# The distributions build fmt as a shared library alone. Its one file carries the name that programs look for.
fmt=$(path_of "usr/lib/$triple/libfmt.a" "usr/lib/$triple/libfmt.so")
fmt_file=libfmt.a
if [[ $fmt == *.so ]]; then fmt_file=$(soname "$fmt"); fi
cp -L "$fmt" "$bundle/lib/$fmt_file"
fmt_number=$(awk '$1 == "#define" && $2 == "FMT_VERSION" { print $3 }' "$bundle"/include/fmt/*.h)
fmt_version=$((fmt_number / 10000)).$((fmt_number / 100 % 100)).$((fmt_number % 100))
cmake_package fmt "$fmt_version" fmt::fmt "$fmt_file"

# Catch2 3 is a library; 2 is headers alone.
if [[ -e $bundle/include/catch2/catch_all.hpp ]]; then
  cp -L "$(path_of "usr/lib/$triple/libCatch2.a" usr/lib/libCatch2.a)" "$bundle/lib/libCatch2.a"
  catch_version=$(awk '/define CATCH_VERSION_(MAJOR|MINOR|PATCH)/ { printf "%s%s", dot, $3; dot = "." }' \
    "$bundle/include/catch2/catch_version_macros.hpp")
  cmake_package Catch2 "$catch_version" Catch2::Catch2 libCatch2.a
fi

# OpenBLAS: the linker picks the archive's members that our calls need, the kernels of every processor among them, and
# makes one object of them. No other name stays visible, so that a program's own BLAS cannot meet this one.
blas=$(path_of "usr/lib/$triple/openblas-openmp/libopenblas.a")
nm -g --defined-only "$blas" 2>/dev/null |
  awk '$3 ~ /^(cblas_sgemm|openblas_get_corename)$/ { print $3 }' >"$work/names"
grep -qx cblas_sgemm "$work/names" || die "$blas has no cblas_sgemm"
sed 's/^/-u /' "$work/names" >"$work/linker-options"
ld -r -d -o "$work/blas.o" "@$work/linker-options" "$blas"
objcopy --strip-unneeded --keep-global-symbols="$work/names" "$work/blas.o"
ar rcs "$bundle/lib/libopenblas.a" "$work/blas.o"
for file in "$bundle"/lib/lib*; do
  printf '%8d KiB  %s\n' $(($(stat -c %s "$file") / 1024)) "${file##*/}"
done

heading "Proof"
rm -rf "$dir"
mkdir -p "${dir%/*}"
cp -r "$bundle" "$dir"
configure "$work/configure.log" -B "$work/build" -DVAECUDA_DEPS="$dir" -DVAECUDA_CUDA=OFF -DBUILD_TESTING=ON
# Usage: taken VARIABLE...: the build has each of them from the bundle
taken() {
  local name value
  for name in "$@"; do
    value=$(sed -n "s/^$name:[A-Z]*=//p" "$work/build/CMakeCache.txt")
    [[ $value == "$dir"/* ]] || die "the build takes $name from elsewhere: '$value'"
  done
}
taken VAECUDA_cli11_INCLUDE VAECUDA_json_INCLUDE VAECUDA_toml_INCLUDE VAECUDA_CATCH2_INCLUDE VAECUDA_OPENBLAS_INCLUDE \
  VAECUDA_OPENBLAS_LIBRARY VAECUDA_BOOST_CONTEXT_INCLUDE VAECUDA_BOOST_CONTEXT_LIBRARY ZLIB_INCLUDE_DIR \
  ZLIB_LIBRARY_RELEASE PNG_PNG_INCLUDE_DIR PNG_LIBRARY_RELEASE fmt_DIR
echo "configured: every package comes from $dir"

# As a program and as a shared library: both are built from the bundle.
proof=(g++ -std=c++20 -O1 -fopenmp -I "$dir/include" "$root/tests/deps/bundle_proof.cpp" -L "$dir/lib" "$dir/lib/$fmt_file"
  -Wl,-rpath,"$dir/lib" -l:libopenblas.a -l:libpng.so -l:libz.so -l:libboost_context.a -lm)
"${proof[@]}" -o "$work/proof"
"${proof[@]}" -shared -fPIC -Wl,--no-undefined -o "$work/proof.so"
kernels=("")
if grep -qw avx2 /proc/cpuinfo; then kernels+=(Prescott Haswell); fi
if grep -qw avx512bw /proc/cpuinfo; then kernels+=(SkylakeX); fi
for name in "${kernels[@]}"; do
  env ${name:+"OPENBLAS_CORETYPE=$name"} "$work/proof" || die "the program linked from the bundle fails"
done

kib=$(du -sk --apparent-size "$dir" | cut -f1)
echo
printf 'The bundle %s has %d.%d MiB.\n' "$dir" $((kib / 1024)) $((kib % 1024 * 10 / 1024))
((kib <= most_mib * 1024)) || die "that is more than $most_mib MiB"
