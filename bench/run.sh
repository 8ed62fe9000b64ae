#!/usr/bin/env bash
# make bench: the speed table. Arguments go to bench (main.go).
set -euo pipefail
cd "$(dirname "$0")/.."
bench/bare/build.sh
go build -o bin/ ./bench/adam ./bench/csv ./bench/loader
exec go run ./bench "$@"
