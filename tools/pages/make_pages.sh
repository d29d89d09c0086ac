#!/bin/sh
# Makes a program's manual page and bash completion from its --help and that of its commands.
# Usage: [AWK=awk] make_pages.sh FILE NAME VERSION FOLDER: writes FOLDER/NAME.1 and FOLDER/NAME.bash
set -eu
file=$1
name=$2
version=$3
folder=$4
here=$(dirname "$0")
mkdir -p "$folder"
help=$folder/$name.txt

# Usage: made_from WHAT.awk HELP [AWK-OPTION...]
made_from() {
  script=$here/$1
  text=$2
  shift 2
  "${AWK:-awk}" -v "program=$name" -v "version=$version" "$@" -f "$here/help.awk" -f "$script" "$text"
}

"$file" --help >"$help"
# "Commands (...):" and a line for each, which begins with its name.
commands=$(sed -n '/^Commands.*:$/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' "$help" | tr '\n' ' ')
{
  made_from man.awk "$help" -v "part_of_page=head"
  if [ -n "$commands" ]; then echo ".SH COMMANDS"; fi
  for command in $commands; do
    "$file" "$command" --help >"$folder/$name.$command.txt"
    made_from man.awk "$folder/$name.$command.txt" -v "part_of_page=command"
  done
  # Options that every command has are shown once.
  if [ -n "$commands" ]; then made_from man.awk "$folder/$name.$command.txt" -v "part_of_page=common"; fi
  made_from man.awk "$help" -v "part_of_page=foot" -v "others=vae_cuda vae_cuda_bench vae_cuda_train"
} >"$folder/$name.1"
{
  echo "# bash completion for $name, made from its --help"
  for command in $commands; do
    made_from completion.awk "$folder/$name.$command.txt" -v "command=$command"
  done
  made_from completion.awk "$help" -v "commands=$commands"
} >"$folder/$name.bash"
