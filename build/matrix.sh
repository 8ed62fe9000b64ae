#!/usr/bin/env bash
# Runs the tensor tests against every libtorch that can be downloaded (make matrix). The tests that a
# version skips are shown, each with its reason.
set -euo pipefail
. "$(dirname "$0")/libtorch.sh"

cd "$build/.."
unset CUDA LIBTORCH
failed=()
for LIBTORCH_VERSION in $(downloadable); do
  export LIBTORCH_VERSION
  "$build/setup.sh"
  printf '\n== libtorch %s\n' "$LIBTORCH_VERSION"
  (
    eval "$("$build/env.sh")"
    go test -count=1 -v ./tensor/... | grep -vE '^(=== | *--- PASS)'
  ) || failed+=("$LIBTORCH_VERSION")
done
[ ${#failed[@]} -eq 0 ] || die "the tensor tests fail with libtorch ${failed[*]}"
