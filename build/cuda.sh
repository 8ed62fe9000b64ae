#!/usr/bin/env bash
# Builds liblighter_cuda.so, for the program to open after libtorch_cuda.so, and puts it where the rpath
# finds it: beside bin/lighter and, for go test, beside a libtorch of ours.
set -euo pipefail
. "$(dirname "$0")/libtorch.sh"

find_libtorch
[ -e "$torch/lib/libtorch_cuda.so" ] || die "$torch has no lib/libtorch_cuda.so: it is libtorch for the CPU only"

# CUDA's headers: ours, those beside a Python torch (13 and 12), or the toolkit's.
headers=""
for folder in "$torch/cuda/include" "$torch"/../nvidia/{cu13,cuda_runtime}/include "${CUDA_HOME:-/usr/local/cuda}/include"; do
  if [ -e "$folder/cuda_runtime.h" ] && [ -e "$folder/crt/host_config.h" ]; then headers=$folder && break; fi
done
[ -n "$headers" ] || die "CUDA's headers (cuda_runtime.h and crt/host_config.h) are neither beside $torch nor in ${CUDA_HOME:-/usr/local/cuda}/include: set CUDA_HOME, or install nvidia-cuda-runtime and nvidia-cuda-crt beside torch"
# A Python torch of CUDA 12 has a folder of headers per library.
includes=(-isystem "$headers" -isystem "$headers/cccl")
for folder in "$torch"/../nvidia/{cublas,cusparse,cusolver}/include; do
  if [ -d "$folder" ]; then includes+=(-isystem "$folder"); fi
done

source=$build/../tensor/cuda
key=$({ cat "$source"/lighter_cuda.{cc,h} "$build/cuda.sh" && echo "$torch"; } | sha256sum | cut -c1-12)
library=$cache/cuda/$key/liblighter_cuda.so
if [ ! -e "$library" ]; then
  say "building liblighter_cuda.so"
  mkdir -p "$(dirname "$library")"
  eval "$("$build/env.sh")"
  read -ra flags <<<"$CGO_CXXFLAGS"
  "${CXX:-g++}" -shared -fPIC "${flags[@]}" "${includes[@]}" -o "$library.$$" "$source/lighter_cuda.cc"
  strip "$library.$$"
  mv "$library.$$" "$library"
fi
folders=("$build/../bin")
if [ "$origin" = cache ]; then folders+=("$torch/lib"); fi
for folder in "${folders[@]}"; do
  mkdir -p "$folder"
  cp "$library" "$folder/.liblighter_cuda.so.$$"
  mv "$folder/.liblighter_cuda.so.$$" "$folder/liblighter_cuda.so"
done
