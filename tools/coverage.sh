#!/usr/bin/env bash
# Lines of the sources that the tests executed: of the kernels under the SIMT executor (kernels/ without
# kernels/library/), or of what reads untrusted files and writes and reads checkpoints.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'EOF2'
Usage: tools/coverage.sh [--parsers] BUILD [LEAST]
Reads the counters that the tests of BUILD have left, prints every line that was never executed, and last
"kernels coverage: NN.N %" or, with --parsers, a figure for each file and "parsers coverage: NN.N %".
Exit code 1 if it is below LEAST per cent (default 98; parsers 95), 2 if there are no counters.
BUILD is configured with -DVAECUDA_COVERAGE=ON for the kernels, and for the parsers with
  -DCMAKE_CXX_FLAGS='--coverage -fprofile-update=atomic'
without ccache (CCACHE_DISABLE=1), which brings counters of another build along.
  --reset BUILD  forgets the counters, so that the next run of the tests is counted alone
EOF2
}

set_name=kernels
case ${1:-} in
  '' | -h | --help)
    usage
    exit $(($# == 0 ? 2 : 0))
    ;;
  --reset)
    find "$2" -name '*.gcda' -delete
    exit 0
    ;;
  --parsers)
    set_name=parsers
    shift
    ;;
esac
build=$(realpath "$1")

if [[ $set_name == kernels ]]; then
  least=${2:-98}
  wanted='^kernels/'
  unwanted='^kernels/library/'
  # The counters of tests that mean something else are kept in uncounted/ (tests/CMakeLists.txt).
  mapfile -d '' counters < <(find "$build" -path "$build/uncounted" -prune -o \
    -path '*vaecuda_simt_kernels*' -name '*.gcda' -print0)
  notes=$(find "$build" -path '*vaecuda_simt_kernels*' -name '*.gcno' | wc -l)
else
  least=${2:-95}
  files=(data/{array,array_file_rows,bytes,cifar,csv,csv_columns,csv_format,csv_reader,elements,folder,format,gzip,idx}
    data/{label_builder,labels,lines,load,matrix_market,message,npy,number,raw_file,scipy_npz}
    data/{narrow_values,sparse,sparse_entries,storage,svmlight,zip}
    config/{toml,toml_guard,utf8} io/{atomic_file,output_descriptor}
    model/{json_scanner,json_writer,model_document,model_document_writer,model_file,safetensors}
    model/safetensors_writer train/{checkpoint,checkpoint_document,run_identity})
  alternatives=$(printf '|%s' "${files[@]}")
  wanted="^host/(${alternatives:1})[.][ch]pp\$"
  unwanted='^$'
  counters=()
  notes=0
  for file in "${files[@]}"; do
    [[ -e $root/host/$file.cpp ]] || continue  # a header, counted in the sources that include it
    notes=$((notes + 1))
    counter=$build/host/CMakeFiles/vaecuda_objects.dir/$file.cpp.gcda
    [[ ! -e $counter ]] || counters+=("$counter")
  done
fi

if ((${#counters[@]} == 0)); then
  echo "coverage.sh: no counters in $build: configure it for coverage and run its tests" >&2
  exit 2
fi
if ((${#counters[@]} != notes)); then
  echo "coverage.sh: $notes sources were to be counted, but only ${#counters[@]} were executed" >&2
  exit 2
fi

# gcov's listing has "COUNT:LINE:SOURCE" per line of code, again for each template instance: a line is covered if one of
# them was executed. '-' marks lines without code, '#####' and '=====' lines never executed.
for counter in "${counters[@]}"; do
  if ! gcov --stdout --object-file "$counter" "$counter" 2>/dev/null; then
    echo "coverage.sh: gcov cannot read $counter; build and run the tests again" >&2
    exit 2
  fi
done | awk -v root="$root/" -v least="$least" -v wanted_files="$wanted" -v unwanted_files="$unwanted" -v name="$set_name" '
{
  separator = index($0, ":")
  if (separator == 0) next
  count = substr($0, 1, separator - 1)
  rest = substr($0, separator + 1)
  line = substr(rest, 1, index(rest, ":") - 1) + 0
  text = substr(rest, index(rest, ":") + 1)
  gsub(/ /, "", count)
  if (line == 0) {
    if (text ~ /^Source:/) {
      file = substr(text, 8)
      if (index(file, root) == 1) file = substr(file, length(root) + 1)
      wanted = file ~ wanted_files && file !~ unwanted_files
    }
    next
  }
  if (!wanted || count == "-") next
  key = file ":" line
  if (!(key in seen)) { seen[key] = 0; source[key] = text; of[key] = file; order[++lines] = key }
  if (count !~ /^(#####|=====)/) seen[key] = 1
}
END {
  if (lines == 0) { print "coverage.sh: the counters name no line that is wanted" > "/dev/stderr"; exit 2 }
  for (i = 1; i <= lines; ++i) {
    ++all_in[of[order[i]]]
    if (seen[order[i]]) { ++covered; ++seen_in[of[order[i]]] }
    else printf "never executed: %s: %s\n", order[i], source[order[i]]
  }
  share = 100 * covered / lines
  if (name == "parsers") {
    fflush()
    for (file in all_in) printf "%6.1f %%  %4d of %4d  %s\n", 100 * seen_in[file] / all_in[file], seen_in[file], all_in[file], file | "sort -k6"
    close("sort -k6")
  }
  printf "%d of %d lines\n", covered, lines
  # Cut, not rounded: 97.96 is not 98.0.
  printf "%s coverage: %.1f %%\n", name, int(share * 10) / 10
  exit share < least
}'
