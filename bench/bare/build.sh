#!/usr/bin/env bash
# Compiles main.cc to bin/bare, with the flags our own C++ code is compiled with.
set -euo pipefail
cd "$(dirname "$0")/../.."
eval "$(build/env.sh)"
command="${CXX:-g++} $CGO_CXXFLAGS -o bin/bare bench/bare/main.cc $CGO_LDFLAGS -ltorch_cpu -lc10"
if [ bin/bare -nt bench/bare/main.cc ] && [ "$(cat bin/bare.command 2>/dev/null)" = "$command" ]; then exit; fi
mkdir -p bin
# shellcheck disable=SC2086 # its words are apart
$command
echo "$command" >bin/bare.command
