# A manual page in man(7), from what help.awk reads.

function escaped(line) {
  gsub(/\\/, "\\e", line)
  gsub(/-/, "\\-", line)
  if (line ~ /^[.']/) line = "\\&" line
  return line
}
function upper_first(line) { return toupper(substr(line, 1, 1)) substr(line, 2) }
function lower_first(line) { return tolower(substr(line, 1, 1)) substr(line, 2) }

# The first line says what the program does; the others are uses and examples, kept as they are.
function summary(line) {
  if (lines++ == 0) {
    printf ".TH %s 1 \"\" \"vaecuda %s\" \"vaecuda\"\n", toupper(escaped(program)), version
    what = line
    sub(/[.:]$/, "", line)
    sub(/\. .*/, "", line)
    printf ".SH NAME\n%s \\- %s\n", program, escaped(lower_first(line))
    return
  }
  if (line ~ /^Usage: /) { sub(/^Usage: */, "", line); usage[++usages] = line; return }
  about[++abouts] = line
}
function open_options(    i) {
  if (opened++) return
  print ".SH SYNOPSIS"
  if (usages == 0) usage[++usages] = program " [OPTIONS]"
  for (i = 1; i <= usages; ++i) {
    sub(program " *", "", usage[i])
    printf "%s.B %s\n%s\n", (i > 1 ? ".br\n" : ""), program, escaped(usage[i])
  }
  printf ".SH DESCRIPTION\n%s\n", escaped(what)
  if (abouts) {
    print ".PP\n.nf"
    for (i = 1; i <= abouts; ++i) print escaped(about[i])
    print ".fi"
  }
  print ".SH OPTIONS"
}
function heading(text) { open_options(); printf ".SS %s\n", escaped(text) }
function option(names, value, text) {
  open_options()
  gsub(/,/, ", ", names)
  printf ".TP\n\\fB%s\\fR", escaped(names)
  if (value != "") printf " \\fI%s\\fR", escaped(value)
  printf "\n%s\n", escaped(text)
}
function footer(line) {
  open_options()
  if (!notes++) print ".SH NOTES\n.nf"
  print escaped(line)
}
function finish(    i, count, names, shown) {
  open_options()
  if (notes) print ".fi"
  count = split(others, names, " ")
  for (i = 1; i <= count; ++i) {
    if (names[i] == program) continue
    printf "%s.BR %s (1)", shown++ ? ",\n" : ".SH SEE ALSO\n", names[i]
  }
  if (shown) print ""
}
