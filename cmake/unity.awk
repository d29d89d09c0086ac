# Which sources may be compiled as one: a source's names of its own (macros, static, in an unnamed namespace) must not
# occur in another of the same group, where they would mean something else, and all of a group have the same
# using-directives.
# Usage: awk -v most=16 -f unity.awk SOURCE...      Prints "GROUP SOURCE" lines.
function keep(name) {
  if (name == "" || name ~ /^(static_assert|if|for|while|return|TEST_CASE|TEMPLATE_TEST_CASE|SECTION)$/) return
  if (!((file, name) in own)) { own[file, name] = 1; names[file] = names[file] " " name }
}
FNR == 1 { file = FILENAME; order[++files] = file; unnamed = 0 }
{
  text = $0
  sub(/\/\/.*/, "", text)
  count = split(text, words, /[^A-Za-z0-9_]+/)
  for (i = 1; i <= count; ++i) if (!((file, words[i]) in occurs)) { occurs[file, words[i]] = 1; all[file] = all[file] " " words[i] }
}
/^#[ ]*define/ { text = $0; sub(/^#[ ]*define[ ]+/, "", text); sub(/[^A-Za-z0-9_].*/, "", text); keep(text) }
/^using namespace/ && !/_literals;/ { directives[file] = directives[file] $3 }
/^namespace \{/ { unnamed = 1; next }
/^\}  \/\/ namespace$/ { unnamed = 0; next }
# Declarations begin in the first column. An alias may be said twice where it says the same.
unnamed && /^(struct|class|enum|union) / {
  text = $0
  sub(/^enum (class|struct) /, "enum ", text)
  split(text, words, /[ :;{]+/)
  keep(words[2])
  next
}
/^using [A-Za-z_0-9]+ =/ { split($0, words, " "); keep(words[2]); alias[file, words[2]] = $0; next }
# What begins with a const result is everyone's function.
!unnamed && /^const [^=;{]*\(/ { next }
(unnamed || /^(static|const|constexpr) /) && /^[A-Za-z_\[]/ && !/^(template|namespace|extern|public|private)/ {
  text = $0
  sub(/^\[\[[a-z_]+\]\] /, "", text)
  sub(/[(={;].*/, "", text)
  sub(/\[.*$/, "", text)
  sub(/[ ]+$/, "", text)
  count = split(text, words, /[ *&]+/)
  keep(words[count])
}
function same_alias(file, group, name) {
  return ((file, name) in alias) && alias[file, name] == alias_of[group, name]
}
END {
  for (i = 1; i <= files; ++i) {
    file = order[i]
    count = split(names[file], mine, " ")
    words_of_file = split(all[file], words, " ")
    for (group = 1; group <= groups; ++group) {
      fits = size[group] < most && directives[file] == shared[group]
      for (j = 1; j <= count && fits; ++j) if ((group, mine[j]) in occurs_in && !same_alias(file, group, mine[j])) fits = 0
      for (j = 1; j <= words_of_file && fits; ++j) if ((group, words[j]) in taken && !same_alias(file, group, words[j])) fits = 0
      if (fits) break
    }
    if (group > groups) { groups = group; shared[group] = directives[file] }
    ++size[group]
    for (j = 1; j <= count; ++j) {
      taken[group, mine[j]] = 1
      if ((file, mine[j]) in alias) alias_of[group, mine[j]] = alias[file, mine[j]]
    }
    for (j = 1; j <= words_of_file; ++j) occurs_in[group, words[j]] = 1
    print group, file
  }
}
