#!/usr/bin/env bash
# Runs a Python test with an interpreter that has what it needs; exit code 77, with the reason, where there is none.
# Usage: run.sh MODULES SCRIPT [ARGUMENT...]   MODULES: "numpy" or "numpy,torch"
set -euo pipefail
modules=$1
shift
for python in "${PYTHON:-python3}" /usr/bin/python3; do
  if "$python" -c "import $modules" 2>/dev/null; then
    # No caches in the source tree.
    PYTHONDONTWRITEBYTECODE=1 exec "$python" "$@"
  fi
done
echo "skipped: no python3 with $modules (Debian/Ubuntu: python3-numpy; python3-torch)"
exit 77
