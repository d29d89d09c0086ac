# Reads the --help of a program; man.awk and completion.awk say what is made of it. They define
#   summary(line), heading(text), option(names, value, text), footer(line), finish()
# and may use what make_pages.sh sets.

# A group of options: a line of its own that ends in a colon, followed by indented options.
function is_heading(line) { return line ~ /^[A-Z][A-Za-z -]*:$/ }

# Hands the collected option on. A positional argument has no dash.
function flush_option(    space, names, value) {
  if (head == "") return
  space = index(head, " ")
  names = space ? substr(head, 1, space - 1) : head
  value = space ? substr(head, space + 1) : ""
  option(names, value, text)
  head = ""
}

function trimmed(line) {
  sub(/^ +/, "", line)
  sub(/ +$/, "", line)
  return line
}

# tools/cli/command_line.cpp sets the column at which an option's text starts; a longer head has a line of its own.
BEGIN { column = 34; part = "summary" }

part == "summary" && /^Usage: .*\[OPTIONS\]/ { usage_line = substr($0, 8); part = "body"; next }
part == "summary" { summary($0); next }

/^ *$/ { if (part == "footer") footer(""); next }
part == "body" && is_heading($0) { flush_option(); heading(substr($0, 1, length($0) - 1)); next }
part == "body" && /^  [-A-Z]/ {
  flush_option()
  if (substr($0, column, 1) == " " && substr($0, column + 1, 1) != " ") {
    head = trimmed(substr($0, 1, column))
    text = trimmed(substr($0, column + 1))
  } else {
    head = trimmed($0)
    text = ""
  }
  next
}
part == "body" && /^                    / { text = text (text == "" ? "" : " ") trimmed($0); next }
{ flush_option(); part = "footer"; footer($0) }

END { flush_option(); finish() }
