#!/usr/bin/env bash
# What is too long for make test, in the environment of make env. FUZZTIME is the time of each fuzz target.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/build

log=$(mktemp)
trap 'rm -f "$log"' EXIT

step() { printf '\n== %s\n' "$*"; }

step "long tests"
LIGHTER_SOAK=1 go test -count=1 -timeout 3h ./...

while read -r package name; do
  step "fuzz $package $name"
  # A run that ends on its deadline may be reported as failed, without a failing input: a fault of go test's.
  go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-5m}" -fuzzminimizetime 50x "$package" 2>&1 | tee "$log" ||
    { grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log"; }
done < <(go test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[n++] = $1 } /^ok/ { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }')

step "every supported libtorch"
"$build/matrix.sh"
