#!/usr/bin/env bash
# Removes lighter's folder in the user's cache (make clean-cache).
set -euo pipefail
. "$(dirname "$0")/libtorch.sh"

if [ ! -d "$cache" ]; then exit 0; fi
say "removing $cache ($(du -sh "$cache" | cut -f1))"
rm -rf "$cache"
