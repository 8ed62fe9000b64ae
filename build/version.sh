#!/usr/bin/env bash
# Prints the version of this checkout as git describes it, or dev without git.
set -euo pipefail
cd "$(dirname "$0")/.."
git describe --tags --always --dirty 2>/dev/null || echo dev
