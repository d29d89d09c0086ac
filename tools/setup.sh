#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that vaecuda is built from. Where nothing is missing, it installs
# nothing and needs neither network nor root.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: tools/setup.sh [--checks]
Installs what is missing to build vaecuda on Debian 12, Ubuntu 22.04 or 24.04, as root or with sudo.
  --checks  also what tools/check.sh needs: formatter, linter, clang, and what some tests are skipped without
EOF
}

checks=0
for argument in "$@"; do
  case $argument in
    --checks) checks=1 ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      printf "setup.sh: unknown option '%s'\n" "$argument" >&2
      usage >&2
      exit 2
      ;;
  esac
done

# Command and the package that brings it: a command from elsewhere will do.
commands=(g++:g++ gcc:gcc cmake:cmake make:make)
libraries=(catch2 libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev libopenblas-openmp-dev
  libpng-dev zlib1g-dev libboost-context-dev)
# Ubuntu 22.04 has no package of toml++ yet. Its headers, which any compiler reads, come from that of 24.04.
toml_headers=/usr/local/include/toml++
toml_package=http://archive.ubuntu.com/ubuntu/pool/universe/t/tomlplusplus/libtomlplusplus-dev_3.4.0+ds-0.2build1_amd64.deb
toml_checksum=SHA256:e6d68dbb89f11c71fc33bd1397ab1b405e83e96b959e5c18ef82871c12051c46
# Pinned, since another version formats and warns otherwise. A distribution without them does without.
linters=(clang-format-14 clang-tidy-14)

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -x installed >/dev/null; }
# Puts the headers of toml++ where this distribution has no package of them.
fetch_toml() {
  local folder
  folder=$(mktemp -d)
  echo "setup: this distribution has no libtomlplusplus-dev: $toml_headers from $toml_package"
  if ! /usr/lib/apt/apt-helper download-file "$toml_package" "$folder/package.deb" "$toml_checksum" >"$folder/log" 2>&1; then
    cat "$folder/log" >&2
    rm -r "$folder"
    echo "setup: the download failed. By hand: put toml++ 3 (https://github.com/marzer/tomlplusplus) into $toml_headers" >&2
    exit 1
  fi
  dpkg-deb -x "$folder/package.deb" "$folder"
  ${as_root[@]+"${as_root[@]}"} mkdir -p "${toml_headers%/*}"
  ${as_root[@]+"${as_root[@]}"} cp -r "$folder/usr/include/toml++" "${toml_headers%/*}/"
  rm -r "$folder"
}
# The package lists are there and know the package.
known() { apt-cache show "$1" >/dev/null 2>&1; }

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup: this is neither Debian nor Ubuntu, so nothing is installed. vaecuda needs g++ 11 or newer,"
  echo "       CMake 3.22, Catch2, CLI11, toml++, nlohmann-json, fmt, OpenBLAS with OpenMP, libpng, zlib and Boost.Context."
else
  missing=()
  for pair in "${commands[@]}"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  for package in "${libraries[@]}"; do
    if [[ $package == libtomlplusplus-dev && -e $toml_headers/toml.h ]]; then continue; fi
    installed "$package" || missing+=("$package")
  done
  optional=()
  if ((checks)); then
    for package in "${linters[@]}"; do
      command -v "$package" >/dev/null || optional+=("$package")
    done
    command -v pkg-config >/dev/null || optional+=(pkg-config)
    command -v ninja >/dev/null || optional+=(ninja-build)
    installed python3-numpy || optional+=(python3-numpy)
    # What the sanitizers are built with: half of g++'s time.
    for package in clang-14 libclang-rt-14-dev libomp-14-dev; do
      installed "$package" || optional+=("$package")
    done
  fi
  # A missing linter that the package lists do not have is no reason to install anything.
  if ((${#missing[@]} == 0 && ${#optional[@]} > 0)) && known bash; then
    wanted=()
    for package in "${optional[@]}"; do
      if known "$package"; then wanted+=("$package"); fi
    done
    optional=(${wanted[@]+"${wanted[@]}"})
  fi

  if ((${#missing[@]} + ${#optional[@]} == 0)); then
    echo "setup: every package needed is installed"
  else
    all=(${missing[@]+"${missing[@]}"} ${optional[@]+"${optional[@]}"})
    by_hand="apt-get update && apt-get install ${all[*]}"
    as_root=()
    if ((EUID != 0)); then
      if ! command -v sudo >/dev/null; then
        echo "setup: packages are missing, and there is neither root nor sudo. As root: $by_hand" >&2
        exit 1
      fi
      if ! [[ -t 0 ]] && ! sudo -n true 2>/dev/null; then
        echo "setup: packages are missing, and sudo wants a password but has no terminal. As root: $by_hand" >&2
        exit 1
      fi
      as_root=(sudo)
    fi
    # No questions, no restarted services, no removed packages; waits for another apt to finish.
    apt=(${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
      apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    echo "setup: reading the package lists (apt-get update)"
    if ! "${apt[@]}" update; then
      echo "setup: apt-get update failed (is there a network?). By hand, as root: $by_hand" >&2
      exit 1
    fi
    for package in ${optional[@]+"${optional[@]}"}; do
      if known "$package"; then
        missing+=("$package")
      fi
    done
    if [[ " ${missing[*]} " == *" libtomlplusplus-dev "* ]] && ! known libtomlplusplus-dev; then
      fetch_toml
      mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -vx libtomlplusplus-dev)
    fi
    if ((${#missing[@]} > 0)); then
      echo "setup: installing ${missing[*]}"
      # Hundreds of lines of dpkg's, of interest where something fails.
      if ! said=$("${apt[@]}" install --yes --no-install-recommends --no-remove "${missing[@]}" 2>&1); then
        printf '%s\n' "$said" >&2
        echo "setup: apt-get install failed. By hand, as root: $by_hand" >&2
        exit 1
      fi
    fi
  fi
fi

if ((checks)); then
  for tool in "${linters[@]}"; do
    command -v "$tool" >/dev/null ||
      echo "setup: this distribution has no $tool (the pinned version), so that check is left out"
  done
fi

if nvcc=$(command -v nvcc || command -v /usr/local/cuda/bin/nvcc); then
  release=$("$nvcc" --version 2>/dev/null | sed -n 's/.*release \([0-9]*\.[0-9]*\).*/\1/p') || true
  if [[ -z $release ]]; then
    echo "setup: CUDA compiler $nvcc, which does not say its version"
  elif [[ $(printf '%s\n' 12.4 "$release" | sort -V | head -n 1) == 12.4 ]]; then
    echo "setup: CUDA compiler $nvcc, release $release"
  else
    echo "setup: CUDA compiler $nvcc, release $release: too old, so this is a CPU build (complete). For a GPU: cuda-toolkit 12.4 or newer from developer.nvidia.com/cuda-downloads"
  fi
else
  echo "setup: no nvcc, so this is a CPU build (complete). For a GPU: install cuda-toolkit 12.4 or newer from developer.nvidia.com/cuda-downloads"
fi
