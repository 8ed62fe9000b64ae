#!/usr/bin/env bash
# Prints the environment in which plain go build, go test and an editor find libtorch and libjpeg: eval "$(make env)".
# The flags are the same in every checkout and are part of Go's cache keys: another flag means compiling
# gotch's shim again, about two minutes.
set -euo pipefail
. "$(dirname "$0")/libtorch.sh"

find_libtorch
shim=$(shim)
[ -d "$torch/lib" ] && [ -d "$jpeg/lib" ] && [ -d "$shim" ] || die "libtorch is not set up: run make setup"

# Wheels before 2.6 and some builds of libtorch use the C++ ABI of before GCC 5.
abi=0
if grep -q 'torchCheckFailEPKcS2_jRKNSt7__cxx11' "$torch/lib/libc10.so"; then abi=1; fi

# gotch asks for -g -O3 at the end of the line; variable tracking is the dearest part of -g.
cxxflags="-O2 -w -fno-var-tracking -std=c++17 -D_GLIBCXX_USE_CXX11_ABI=$abi -include $shim/compat.h -I$torch/include -I$torch/include/torch/csrc/api/include"

# An RPATH, not a RUNPATH: it comes before LD_LIBRARY_PATH, which may name another libtorch.
ldflags="-L$shim/stubs -L$torch/lib -L$jpeg/lib -Wl,--as-needed -Wl,--allow-shlib-undefined -Wl,--disable-new-dtags"
# shellcheck disable=SC2016
for folder in '$ORIGIN/../lib' '$ORIGIN/lib' '$ORIGIN' "$torch/lib" "$jpeg/lib"; do ldflags+=" -Wl,-rpath,$folder"; done

# -trimpath keeps the checkout's path out of the cache keys, so that clones share one cache.
goflags=$(cd "$build" && go env GOFLAGS)
case " $goflags " in *" -trimpath "*) ;; *) goflags="${goflags:+$goflags }-trimpath" ;; esac

cat <<END
export CGO_ENABLED=1
export CGO_CFLAGS='-O2 -w'
export CGO_CXXFLAGS='$cxxflags'
export CGO_LDFLAGS='$ldflags'
export GOFLAGS='$goflags'
END
