# Completion for bash, from what help.awk reads. zsh takes it after `autoload bashcompinit && bashcompinit`.

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
function finish(    name) {
  name = "_" program
  gsub(/-/, "_", name)
  printf "# bash completion for %s, made from its --help\n%s() {\n", program, name
  print "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} choices="
  print "  COMPREPLY=()"
  print "  # bash takes --option=value apart"
  print "  if [[ $current == = ]]; then"
  print "    current="
  print "  elif [[ $previous == = ]]; then"
  print "    previous=${COMP_WORDS[COMP_CWORD-2]}"
  print "  fi"
  print "  case $previous in"
  if (files != "") {
    print "    " files ")"
    print "      compopt -o filenames"
    print "      mapfile -t COMPREPLY < <(compgen -f -- \"$current\")"
    print "      return"
    print "      ;;"
  }
  printf "%s", cases
  if (free != "") print "    " free ") return ;;"
  print "    *) choices='" all (commands == "" ? "" : " " commands) "' ;;"
  print "  esac"
  print "  mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$current\")"
  print "}"
  print "complete -F " name " " program
}
