#!/usr/bin/env bash
# Builds the program into the file named, stamped with git's version: build.sh FILE [LINKER-FLAGS]. Its own source and the
# settings of its build are embedded, for `lighter build`: by an overlay, so that the tree and Go's cache know nothing of it.
set -euo pipefail
. "$(dirname "$0")/libtorch.sh"

cd "$build/.."
eval "$("$build/env.sh")"
if [ "$(go list -f '{{.Stale}}' github.com/sugarme/gotch/libtch)" = true ]; then
  say "compiling gotch against libtorch: about two minutes, the first time only"
fi
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
"$build/source.sh" "$temp/source.tar.gz"
"$build/env.sh" >"$temp/settings"
embedded=$PWD/internal/custom/embedded
cat >"$temp/overlay.json" <<END
{"Replace": {"$embedded/source.tar.gz": "$temp/source.tar.gz", "$embedded/settings": "$temp/settings"}}
END
go build -overlay "$temp/overlay.json" -ldflags "-X github.com/lighter-go/lighter/internal/release.version=$("$build/version.sh") ${2:-}" -o "$1" ./cmd/lighter
