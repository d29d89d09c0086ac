#!/usr/bin/env bash
# Looks at a run's page in headless Chromium: wide light and dark, a phone's width, paper. Fails on a message of the
# console, on a page that is wider than the phone, and on a read-out that does not follow the keyboard.
# Usage: report.sh REPORT.html OUTPUT_FOLDER     (needs chromium: Debian's package; not part of check.sh)
# Exit code: 0 good, 1 something is wrong, 77 no Chromium.
set -euo pipefail
if (($# != 2)); then
  echo "usage: report.sh REPORT.html OUTPUT_FOLDER" >&2
  exit 2
fi
page=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [[ -z $browser ]]; then
  echo "skipped: no chromium (Debian: apt-get install chromium)"
  exit 77
fi
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

options=(--headless=new --disable-gpu --hide-scrollbars "--user-data-dir=$profile" --no-first-run
  --disable-component-update --disable-background-networking --host-resolver-rules='MAP * ~NOTFOUND'
  --enable-logging=stderr --v=0)
# As root Chromium has no sandbox.
if ((EUID == 0)); then options+=(--no-sandbox); fi

failed=0
look() { # NAME OPTION...
  local name=$1
  shift
  if ! timeout 120 "$browser" "${options[@]}" "$@" >"$out/$name.stdout" 2>"$out/$name.log"; then
    echo "$name: chromium failed; see $out/$name.log"
    failed=1
  fi
  if grep -E 'CONSOLE' "$out/$name.log"; then
    echo "$name: the console is not silent"
    failed=1
  fi
}

look light --window-size=1280,3600 "--screenshot=$out/light.png" "file://$page"
look dark --window-size=1280,3600 --blink-settings=preferredColorScheme=0 "--screenshot=$out/dark.png" "file://$page"
look paper --no-pdf-header-footer "--print-to-pdf=$out/paper.pdf" "file://$page"

# A window is at least 500 pixels wide, so the phone is a frame of 390. What is measured in it is the page's title.
frame="$profile/phone.html"
probe="$profile/probe.html"
sed 's|</body>|<script>addEventListener("load", () => { const c = document.querySelector("svg.curve"); if (c) { c.focus(); c.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft"})); } const r = document.querySelector(".readout"); parent.postMessage([document.documentElement.scrollWidth, innerWidth, c ? (r ? r.textContent : "none") : "epoch"], "*"); if (c) c.blur(); });</script></body>|' "$page" >"$probe"
cat >"$frame" <<'HTML'
<!DOCTYPE html><title>waiting</title><style>body{margin:0}iframe{border:0;width:390px;height:6400px}</style>
<script>addEventListener("message", (e) => { document.title = e.data.join("|"); });</script><iframe src="probe.html"></iframe>
HTML
look phone --window-size=500,6400 --allow-file-access-from-files "--screenshot=$out/phone.png" "file://$frame"
look measure --window-size=500,6400 --allow-file-access-from-files --virtual-time-budget=3000 --dump-dom "file://$frame"
title=$(sed -n 's|.*<title>\([^<]*\)</title>.*|\1|p' "$out/measure.stdout")
IFS='|' read -r width inner readout <<<"$title"
if [[ -z ${inner:-} ]] || ((width > inner)); then
  echo "phone: the page is ${width:-?} pixels wide in a frame of ${inner:-?}"
  failed=1
fi
if [[ ${readout:-} != epoch* ]]; then
  echo "the read-out does not follow the keyboard: '${readout:-}'"
  failed=1
fi
rm -f "$out"/*.stdout
((failed == 0)) && echo "good: $out/light.png dark.png phone.png paper.pdf (phone: $width of $inner pixels; $readout)"
exit "$failed"
