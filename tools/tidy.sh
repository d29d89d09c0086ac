#!/usr/bin/env bash
# clang-tidy over the product's sources, several in one pass: most of its time goes into headers that they share.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'EOF'
Usage: tools/tidy.sh BUILD [--analyzer | --slow] [ROOT]
Looks at every source of ROOT/host, ROOT/tools and ROOT/kernels (ROOT: this tree) that BUILD/compile_commands.json names,
and prints what is found; its rules are in .clang-tidy, but for one that takes longer than all others together.
Exit code 1 if there is something, 2 if there is no source.
  --analyzer  the static analyzer's checks instead, each source on its own (slow)
  --slow      the rule that is left out instead
JOBS=N limits the number of processes.
EOF
}

analyzer=0
slow=0
words=()
for argument in "$@"; do
  case $argument in
    --analyzer) analyzer=1 ;;
    --slow) slow=1 ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) words+=("$argument") ;;
  esac
done
if ((${#words[@]} < 1 || ${#words[@]} > 2)); then
  usage >&2
  exit 2
fi
build=$(realpath "${words[0]}")
root=$(realpath "${words[1]:-$root}")
work=$build/tidy
mkdir -p "$work"
rm -rf "${work:?}"/*

# "NUMBER FILE" of each source, and the flags of that number, as JSON has them: a line of "flags" each. Without the output's
# name, which differs for each. Of a build in groups (VAECUDA_UNITY), what a group includes.
: >"$work/flags"
awk -v root="$root/" -v list="$work/flags" '
  /^ *"command": / { command = $0; sub(/^ *"command": "/, "", command); sub(/",?$/, "", command) }
  /^ *"file": / {
    file = $0
    sub(/^ *"file": "/, "", file)
    sub(/",?$/, "", file)
    sub(/ -o [^ ]* -c .*$/, "", command)
    # Nor with headers that another compiler has precompiled, nor with what is for the generated code alone.
    sub(/ -Winvalid-pch.*cmake_pch[.]hxx/, "", command)
    gsub(/ (-O[0-3]|-fPIC|-fPIE)/, "", command)
    if (file !~ /\/Unity\/unity_[^\/]*\.cxx$/) { take(file); next }
    while ((getline line <file) > 0) if (line ~ /^#include "/) { split(line, part, "\""); take(part[2]) }
    close(file)
  }
  function take(source,    name) {
    if (index(source, root) != 1) return
    name = substr(source, length(root) + 1)
    if (name !~ /^(host|tools|kernels)\/.*\.cpp$/ || seen[name]++) return
    if (!(command in number)) { number[command] = ++numbers; print command >list }
    print number[command], source
  }' "$build/compile_commands.json" >"$work/sources"
[[ -s $work/sources ]] || { echo "tidy.sh: $build/compile_commands.json names no source of $root" >&2; exit 2; }

# Sources with the same flags and no name of their own in common become one file that includes them, the last first: a
# source whose include is missing has other neighbours before it than in a build in groups, and is then found alone.
most=$((analyzer ? 1 : 30))
echo "[" >"$work/compile_commands.json"
number=0
while IFS= read -r flags; do
  number=$((number + 1))
  mapfile -t files < <(sed -n "s/^$number //p" "$work/sources")
  while read -r group file; do
    name=group-$number-$group
    # Including a source is what is meant here.
    printf '#include "%s"  // NOLINT\n' "$file" >>"$work/$name.cpp"
    printf '%s\n' "$file" >>"$work/$name.members"
  done < <(awk -v most="$most" -f "$(dirname "${BASH_SOURCE[0]}")/../cmake/unity.awk" "${files[@]}" | tac)
  for list in "$work/group-$number-"*.members; do
    name=${list%.members}
    # Their own entries as well, for a group that does not compile as one.
    while read -r file; do
      printf '{ "directory": "%s", "command": "%s -c %s", "file": "%s" },\n' "$build" "$flags" "$file" "$file"
    done <"$list"
    printf '{ "directory": "%s", "command": "%s -c %s", "file": "%s" },\n' "$build" "$flags" "$name.cpp" "$name.cpp"
  done >>"$work/compile_commands.json"
done <"$work/flags"
sed -i '$ s/,$//' "$work/compile_commands.json"
echo "]" >>"$work/compile_commands.json"

options=(-p "$work" --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-error "--config-file=$root/.clang-tidy")
# A source counts as a header where it is included.
options+=("--header-filter=^$root/(include/vaecuda|host|tools|kernels/(math|library))/[^ ]*\$")
# omp.h is g++'s own; after clang's folders, so that clang's headers come first.
options+=("--extra-arg=-idirafter$(g++ -print-file-name=include)")
slow_rule=performance-unnecessary-value-param
if ((analyzer)); then
  options+=(--checks='-*,clang-analyzer-*')
elif ((slow)); then
  options+=("--checks=-*,$slow_rule")
else
  options+=("--checks=-$slow_rule")
fi

# What goes to stderr is a count of silenced warnings.
look_at() {
  clang-tidy-14 "${@:2}" "$1" 2>/dev/null
}
look_at_group() {
  local list=$1 found file bad=0
  shift
  if found=$(look_at "${list%.members}.cpp" "$@"); then return; fi
  # Two sources that compile alone may still have a name in common: then each is looked at on its own.
  if [[ $found == *"[clang-diagnostic-error]"* && $(wc -l <"$list") -gt 1 ]]; then
    while read -r file; do
      if ! found=$(look_at "$file" "$@"); then
        printf '%s\n' "$found"
        bad=1
      fi
    done <"$list"
    return $bad
  fi
  printf '%s\n' "$found"
  return 1
}
export -f look_at look_at_group
if ! printf '%s\0' "$work"/*.members |
  xargs -0 -P "$jobs" -I{} bash -c 'look_at_group "$@"' _ {} "${options[@]}"; then
  echo "tidy.sh: clang-tidy found something; its rules are in .clang-tidy" >&2
  exit 1
fi
# What this build does not compile was not looked at.
left_out=$(cd "$root" && { find host tools kernels -name '*.cpp' 2>/dev/null || true; } | sort |
  comm -23 - <(cut -d ' ' -f 2- "$work/sources" | sed "s|^$root/||" | sort) | paste -sd ' ')
[[ -z $left_out ]] || echo "left out, since this build does not compile them: $left_out"
echo "$(wc -l <"$work/sources") sources in $(find "$work" -name '*.members' | wc -l) passes, nothing found"
