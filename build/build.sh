#!/usr/bin/env bash
# Builds the program into the file named, stamped with git's version: build.sh FILE [LINKER-FLAGS].
set -euo pipefail
. "$(dirname "$0")/libtorch.sh"

cd "$build/.."
eval "$("$build/env.sh")"
if [ "$(go list -f '{{.Stale}}' github.com/sugarme/gotch/libtch)" = true ]; then
  say "compiling gotch against libtorch: about two minutes, the first time only"
fi
go build -ldflags "-X github.com/lighter-go/lighter/internal/release.version=$("$build/version.sh") ${2:-}" -o "$1" ./cmd/lighter
