#!/usr/bin/env bash
# The gate (make test), in the environment of make env.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step gofmt
unformatted=$(gofmt -l .)
if [ -n "$unformatted" ]; then
  printf 'not formatted (gofmt -w):\n%s\n' "$unformatted" >&2
  exit 1
fi

step "pure Go: these build and pass without C"
CGO_ENABLED=0 go test ./build ./internal/config/... ./internal/diag/... ./internal/eventfile/... ./internal/libm ./internal/registry/... ./internal/release ./internal/report

step "go vet"
go vet ./...

step staticcheck
go tool staticcheck ./...

step "go test"
go test ./...
