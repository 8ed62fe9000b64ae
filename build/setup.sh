#!/usr/bin/env bash
# Gets libtorch and libjpeg-turbo, once for all checkouts (make setup). Prints to stderr only.
#   CUDA=1    the CUDA libraries and liblighter_cuda.so too
#   VERIFY=1  compare the sum of every unpacked file, not only its size
set -euo pipefail
. "$(dirname "$0")/libtorch.sh"

# missing is what the cache still needs: nothing when it holds every file, with CUDA's if asked for.
missing() {
  if [ "$origin" != cache ]; then return; fi
  if ! is_intact "$torch"; then
    if [ -e "$torch" ]; then echo damaged; else echo absent; fi
  elif [ "${VERIFY:-}" = 1 ] && ! (cd "$torch" && sha256sum --quiet -c SHA256SUMS >&2); then
    echo damaged
  elif [ "${CUDA:-}" = 1 ] && [ ! -e "$torch/lib/libtorch_cuda.so" ]; then
    echo cuda
  fi
}

# missing_jpeg is the same of libjpeg.
missing_jpeg() {
  if ! is_intact "$jpeg" || [ ! -e "$jpeg/lib/liblighter_jpeg.so" ]; then
    if [ -e "$jpeg" ]; then echo damaged; else echo absent; fi
  elif [ "${VERIFY:-}" = 1 ] && ! (cd "$jpeg" && sha256sum --quiet -c SHA256SUMS >&2); then
    echo damaged
  fi
}

# download puts the wheels of a requirements file into the cache. pip checks their sums, those of
# wheels that are there already too, and replaces a damaged one.
download() {
  local requirements=$1 python platform args
  python=$(sed -n 's/^# python //p' "$requirements")
  args=(download --no-deps --require-hashes --no-cache-dir --only-binary=:all: --python-version "$python")
  for platform in manylinux_2_{28,27,25,18,17,12,5}_x86_64 manylinux{2014,2010,1}_x86_64; do
    args+=(--platform "$platform")
  done
  args+=(--dest "$cache/wheels" -r "$requirements")
  if [ -n "$(ls "$cache/wheels")" ] && $pip "${args[@]}" --no-index --find-links "$cache/wheels" >/dev/null 2>&1; then return; fi
  say "downloading $(sed -n 's/ --hash.*//p' "$requirements" | paste -sd' ')"
  $pip "${args[@]}" >&2 || die "pip could not download $2 (its message is above)${3:-}"
}

# unwheel makes a folder of the wheels of requirements files: beside it, renamed when whole.
#   unwheel FOLDER TEST FLAG FILE...    TEST is a command that the new folder must pass
unwheel() {
  local folder=$1 check=$2 flag=$3 parent name number temp wheels=()
  shift 3
  while read -r name number; do
    wheels+=("$cache/wheels/${name//-/_}-$number"-*.whl)
  done < <(sed -n 's/^\([a-z0-9-]*\)==\([^ ]*\) .*/\1 \2/p' "$@")
  parent=$(dirname "$folder")
  mkdir -p "$parent"
  rm -rf "$parent/.$(basename "$folder")".*
  temp=$(mktemp -d "$parent/.$(basename "$folder").XXXXXX")
  (cd "$build/.." && CGO_ENABLED=0 go run ./build/unwheel $flag -o "$temp" "${wheels[@]}") || die "${wheels[0]} could not be unpacked"
  "$check" "$temp"
  chmod 755 "$temp"
  (
    cd "$temp"
    find ./* -type f -print0 | xargs -0 sha256sum >.SHA256SUMS
    mv .SHA256SUMS SHA256SUMS
    find ./* -type f -printf '%s %p\n' >.MANIFEST
    mv .MANIFEST MANIFEST
  )
  rm -rf "$folder.old"
  if [ -e "$folder" ]; then mv "$folder" "$folder.old"; fi
  mv "$temp" "$folder"
  rm -rf "$folder.old"
}

is_whole_torch() { [ "$(torch_version "$1")" = "$version" ] && [ -f "$1/lib/libtorch_cpu.so" ] || die "the wheels hold no libtorch $version"; }

# The name that the linker looks for leads to the library, whose own name has a hash in it.
has_jpeg() {
  local libraries=("$1"/lib/libjpeg-*.so.62*)
  [ -f "${libraries[0]}" ] || die "Pillow's wheel holds no libjpeg.so.62"
  ln -s "$(basename "${libraries[0]}")" "$1/lib/liblighter_jpeg.so"
}

# unpack makes $torch from the wheels.
unpack() {
  local requirements=("$build/libtorch-$version.txt") flag="" file
  if [ "${CUDA:-}" = 1 ] || [ -e "$torch/lib/libtorch_cuda.so" ]; then
    [ -f "$build/libtorch-$version-cuda.txt" ] || die "CUDA=1 works with libtorch $default_version, not with $version"
    requirements+=("$build/libtorch-$version-cuda.txt")
    flag=-cuda
  fi
  for file in "${requirements[@]}"; do download "$file" libtorch "; LIBTORCH=/path uses one you have"; done
  say "unpacking libtorch $version into $torch"
  unwheel "$torch" is_whole_torch "$flag" "${requirements[@]}"
}

unpack_jpeg() {
  download "$build/libjpeg.txt" libjpeg-turbo
  unwheel "$jpeg" has_jpeg "" "$build/libjpeg.txt"
}

# install_shim copies compat.h to where every checkout's flags name it.
install_shim() {
  local shim temp name
  shim=$(shim)
  if [ -d "$shim" ]; then return; fi
  mkdir -p "$cache/shim"
  temp=$(mktemp -d "$cache/shim/.XXXXXX")
  mkdir "$temp/stubs"
  cp "$build/compat.h" "$temp"
  for name in cuda cudart cublas cudnn caffe2_nvrtc nvrtc-builtins nvrtc nvToolsExt c10_cuda torch_cuda torch; do
    printf '!<arch>\n' >"$temp/stubs/lib$name.a"
  done
  chmod 755 "$temp"
  mv -T "$temp" "$shim" 2>/dev/null || rm -rf "$temp" # another make was faster
}

find_libtorch
need=$(missing)$(missing_jpeg)
if [ -n "$need" ]; then pip=$("$build/tools.sh" pip); else "$build/tools.sh"; fi
mkdir -p "$cache/wheels"

if [ -n "$need" ]; then
  exec 9>"$cache/lock"
  flock -n 9 || { say "waiting for another make that sets libtorch up"; flock 9; }
  need=$(missing)
  if [ "$need" = damaged ]; then say "libtorch $version in $torch is damaged: repairing it"; fi
  if [ -n "$need" ]; then unpack; fi
  need=$(missing_jpeg)
  if [ "$need" = damaged ]; then say "libjpeg in $jpeg is damaged: repairing it"; fi
  if [ -n "$need" ]; then unpack_jpeg; fi
  exec 9>&-
fi
install_shim
if [ "${CUDA:-}" = 1 ]; then "$build/cuda.sh"; fi
