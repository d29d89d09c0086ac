# A completion function for bash, from what help.awk reads: of a command, or of the program, whose `commands` have theirs.

function summary(line) { }
function heading(text) { }
function footer(line) { }

# The words that a value may be: those in lower case between bars. "N[,N...]|none" has one.
function words_of(value,    parts, count, i, out) {
  count = split(value, parts, "|")
  for (i = 1; i <= count; ++i)
    if (parts[i] ~ /^[a-z][a-z0-9-]*$/) out = out (out == "" ? "" : " ") parts[i]
  return out
}
function option(names, value, text,    parts, count, i, pattern) {
  if (names !~ /^-/) { positional = 1; return }
  count = split(names, parts, ",")
  for (i = 1; i <= count; ++i) {
    all = all (all == "" ? "" : " ") parts[i]
    pattern = pattern (pattern == "" ? "" : "|") parts[i]
  }
  if (value == "") return
  if (value ~ /(PATH|FILE|DIR|MODEL)/) { files = files (files == "" ? "" : "|") pattern; return }
  if (words_of(value) != "") {
    cases = cases "    " pattern ") choices='" words_of(value) "' ;;\n"
    return
  }
  free = free (free == "" ? "" : "|") pattern
}
function function_name(word,    name) {
  name = "_" program (word == "" ? "" : "_" word)
  gsub(/-/, "_", name)
  return name
}
function offer_files(indent) {
  print indent "compopt -o filenames"
  print indent "mapfile -t COMPREPLY < <(compgen -f -- \"$current\")"
  print indent "return"
}
function finish(    i, count, names) {
  print function_name(command) "() {"
  print "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} choices="
  print "  COMPREPLY=()"
  count = split(commands, names, " ")
  if (count) {
    print "  if ((COMP_CWORD > 1)); then"
    print "    case ${COMP_WORDS[1]} in"
    for (i = 1; i <= count; ++i) printf "      %s) %s; return ;;\n", names[i], function_name(names[i])
    print "    esac"
    print "  fi"
    all = commands all
  }
  print "  # bash takes --option=value apart."
  print "  if [[ $current == = ]]; then"
  print "    current="
  print "  elif [[ $previous == = ]]; then"
  print "    previous=${COMP_WORDS[COMP_CWORD-2]}"
  print "  fi"
  print "  case $previous in"
  if (files != "") {
    print "    " files ")"
    offer_files("      ")
    print "      ;;"
  }
  printf "%s", cases
  if (free != "") print "    " free ") return ;;"
  print "    *) choices='" all "' ;;"
  print "  esac"
  if (positional) {
    print "  if [[ $current != -* && $choices == -* ]]; then"
    offer_files("    ")
    print "  fi"
  }
  print "  mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$current\")"
  print "}"
  if (command == "") print "complete -F " function_name("") " " program
}
