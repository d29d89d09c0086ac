# Sets `rooms` to the product's source folders in this folder; ends the check that takes it in with 2 where there is none.
rooms=()
for room in include host kernels tools; do
  if [[ -d $room ]]; then rooms+=("$room"); fi
done
if ((${#rooms[@]} == 0)); then
  echo "$(basename "$0"): no source folder in $PWD" >&2
  exit 2
fi
