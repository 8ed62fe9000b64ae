#!/usr/bin/env bash
# make bench: the speed table. Arguments go to bench (main.go).
set -euo pipefail
cd "$(dirname "$0")/.."
bench/bare/build.sh
go build -o bin/adam ./bench/adam
go build -o bin/loader ./bench/loader
exec go run ./bench "$@"
