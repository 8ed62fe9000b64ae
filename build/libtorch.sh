# Which libtorch and libjpeg are used, and what is known about them. Sourced by the scripts beside it.
# shellcheck shell=bash disable=SC2034

default_version=2.11.0
supported="2.1.x and 2.11.x"

build=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?set HOME or XDG_CACHE_HOME}/.cache}/lighter

say() { printf '%s\n' "$*" >&2; }
die() {
  printf 'lighter: %s\n' "$*" >&2
  exit 1
}

case $cache in *[[:space:]]*) die "the cache folder's path has a blank, which compilers' flags cannot carry: set XDG_CACHE_HOME to another than $cache" ;; esac

# libjpeg-turbo, in a folder named after the Pillow it is of.
jpeg=$cache/libjpeg/$(sed -n 's/^pillow==\([^ ]*\) .*/\1/p' "$build/libjpeg.txt")

# torch_version DIR prints the version that DIR's headers declare, nothing if they declare none.
torch_version() {
  { cat "$1/include/torch/headeronly/version.h" "$1/include/torch/csrc/api/include/torch/version.h" 2>/dev/null || true; } |
    sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\)$/\2/p' | paste -sd.
}

is_supported() { [[ $1 =~ ^2\.(1|11)\.[0-9]+$ ]]; }

# is_intact DIR: DIR was unpacked by us and every file is there with its size.
is_intact() {
  [ -f "$1/MANIFEST" ] &&
    cut -d' ' -f2- "$1/MANIFEST" | (cd "$1" && tr '\n' '\0' | xargs -0 stat -c '%s %n' 2>/dev/null) |
    cmp -s - "$1/MANIFEST"
}

# python_torch prints the folder of the torch that python3 would import, without importing it.
python_torch() {
  python3 -c 'from importlib.util import find_spec; s = find_spec("torch"); print(s.submodule_search_locations[0] if s else "")' 2>/dev/null || true
}

# find_libtorch sets torch (the folder with include/ and lib/), version and origin: LIBTORCH, python
# or cache. LIBTORCH_VERSION asks for one from the cache; that one may still have to be unpacked.
find_libtorch() {
  version=${LIBTORCH_VERSION:-}
  if [ -n "$version" ]; then
    [ -f "$build/libtorch-$version.txt" ] || die "LIBTORCH_VERSION=$version cannot be downloaded: this can: $(downloadable)"
  elif [ -n "${LIBTORCH:-}" ]; then
    torch=$(cd "$LIBTORCH" 2>/dev/null && pwd) || die "LIBTORCH=$LIBTORCH is no folder"
    case $torch in *[[:space:]]*) die "LIBTORCH=$LIBTORCH: the path has a blank, which compilers' flags cannot carry" ;; esac
    version=$(torch_version "$torch")
    [ -n "$version" ] || die "LIBTORCH=$LIBTORCH has no include/torch/csrc/api/include/torch/version.h: it should be libtorch's folder, with include/ and lib/"
    [ -f "$torch/lib/libtorch_cpu.so" ] || die "LIBTORCH=$LIBTORCH has no lib/libtorch_cpu.so"
    is_supported "$version" || die "LIBTORCH=$LIBTORCH is libtorch $version; lighter works with $supported"
    origin=LIBTORCH
    return
  else
    torch=$(python_torch)
    if [ -n "$torch" ] && [ -f "$torch/lib/libtorch_cpu.so" ]; then
      version=$(torch_version "$torch")
      if is_supported "$version" && [[ $torch != *[[:space:]]* ]]; then
        origin=python
        return
      fi
    fi
  fi
  version=${LIBTORCH_VERSION:-$default_version}
  torch=$cache/libtorch/$version
  origin=cache
}

downloadable() { (cd "$build" && ls libtorch-*.txt) | sed -n 's/^libtorch-\([0-9.]*\)\.txt$/\1/p' | paste -sd' '; }

# shim prints the folder of compat.h and of the empty libraries that stand in for those gotch asks the
# linker for. Its name changes with compat.h, since Go's build cache does not look into that file.
shim() { printf '%s/shim/%s\n' "$cache" "$(sha256sum "$build/compat.h" | cut -c1-12)"; }
