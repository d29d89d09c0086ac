# A part of a manual page in man(7), from what help.awk reads. part_of_page:
#   head     the program's own help down to its options
#   command  the help of one command, without what every command and the program have
#   common   of such a help, the options that every command has
#   foot     the end of the program's own help, and what else there is to see

function escaped(line) {
  gsub(/\\/, "\\e", line)
  gsub(/-/, "\\-", line)
  if (line ~ /^[.']/) line = "\\&" line
  return line
}
function lower_first(line) { return tolower(substr(line, 1, 1)) substr(line, 2) }

# The first line says what it does; the others are uses and examples, kept as they are.
function summary(line) {
  if (lines++ == 0) { what = line; return }
  if (line ~ /^Usage: /) { sub(/^Usage: */, "", line); usage[++usages] = line; return }
  about[++abouts] = line
}
function describe(    i) {
  while (abouts > 0 && about[abouts] == "") --abouts
  print escaped(what)
  if (abouts == 0) return
  print ".PP\n.nf"
  for (i = 1; i <= abouts; ++i) print escaped(about[i])
  print ".fi"
}
function open_page(    i, short) {
  if (opened++) return
  if (part_of_page == "command") {
    printf ".SS %s\n", escaped(usage_line)
    describe()
  } else if (part_of_page == "head") {
    short = what
    sub(/\. .*/, "", short)
    sub(/[.:]$/, "", short)
    printf ".TH %s 1 \"\" \"vaecuda %s\" \"vaecuda\"\n", toupper(program), version
    printf ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n", program, escaped(lower_first(short))
    if (usages == 0) usage[++usages] = usage_line
    for (i = 1; i <= usages; ++i) {
      sub(program " *", "", usage[i])
      printf "%s.B %s\n%s\n", (i > 1 ? ".br\n" : ""), program, escaped(usage[i])
    }
    print ".SH DESCRIPTION"
    describe()
    print ".SH OPTIONS"
  }
}
function heading(text) {
  group = text
  open_page()
  if (part_of_page == "head") printf ".SS %s\n", escaped(text)
  if (part_of_page == "common" && group == "Common") print ".SS Options of every command"
}
function option(names, value, text) {
  if (part_of_page == "foot" || (part_of_page == "common") != (group == "Common")) return
  if (part_of_page == "command" && (names ~ /--help/ || names == "--version")) return
  gsub(/,/, ", ", names)
  printf ".TP\n\\fB%s\\fR", escaped(names)
  if (value != "") printf " \\fI%s\\fR", escaped(value)
  printf "\n%s\n", escaped(text)
}
function footer(line) {
  if (part_of_page != "foot") return
  if (!notes++) print ".SH NOTES\n.nf"
  print escaped(line)
}
function finish(    i, count, names, shown) {
  open_page()
  if (part_of_page != "foot") return
  if (notes) print ".fi"
  count = split(others, names, " ")
  for (i = 1; i <= count; ++i) {
    if (names[i] == program) continue
    printf "%s.BR %s (1)", (shown++ ? ",\n" : ".SH SEE ALSO\n"), names[i]
  }
  if (shown) print ""
}
