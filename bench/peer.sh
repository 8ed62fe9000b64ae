#!/usr/bin/env bash
# Python's Lighter and PyTorch, installed once in a virtual environment in the user's cache folder. PYTHON names the
# interpreter to make it with, 3.10 to 3.13.
#   peer.sh [ARGUMENT ...]       make bench-peer: the speed table with Python's Lighter; arguments go to bench (main.go)
#   peer.sh fixtures [FAMILY ...]  make fixtures: runs testdata/fixtures/make.py
#   peer.sh python [ARGUMENT ...]  runs the environment's interpreter
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lighter
venv=$cache/peer
packages=(lighter==0.1.0 sparkwheel==0.0.11 torch==2.11.0 torchvision==0.26.0 pytorch-lightning==2.6.6 torchmetrics==1.9.0)

if [ "$(cat "$venv/installed" 2>/dev/null)" != "${packages[*]}" ]; then
  python=${PYTHON:-python3}
  "$python" -c 'import sys, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' ||
    { echo "bench/peer.sh: $python must be Python 3.10 to 3.13 with venv (apt install python3-venv): set PYTHON" >&2; exit 1; }
  echo "bench/peer.sh: installing Python's Lighter and PyTorch in $venv (5 GB)" >&2
  rm -rf "$venv"
  "$python" -m venv "$venv"
  mkdir -p "$cache/wheels"
  "$venv/bin/python" -m pip install --disable-pip-version-check --quiet --find-links "$cache/wheels" "${packages[@]}" >&2
  # The first start compiles the modules; it is no part of what is measured.
  "$venv/bin/lighter" --help >/dev/null
  echo "${packages[*]}" >"$venv/installed"
fi

case ${1:-} in
  fixtures) exec "$venv/bin/python" testdata/fixtures/make.py "${@:2}" ;;
  python) exec "$venv/bin/python" "${@:2}" ;;
  *) exec bench/run.sh -peer "$venv/bin/lighter" "$@" ;;
esac
