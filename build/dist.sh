#!/usr/bin/env bash
# Makes dist/lighter-VERSION-linux-amd64.tar.gz: bin/lighter, the libraries it needs in lib/, and the
# licences of all of it. Always of the pinned libtorch; with CUDA=1 it runs on the GPU too.
set -euo pipefail
. "$(dirname "$0")/libtorch.sh"

cd "$build/.."
unset LIBTORCH
export LIBTORCH_VERSION=$default_version
"$build/setup.sh"
find_libtorch
name=lighter-$("$build/version.sh")-linux-amd64
if [ "${CUDA:-}" = 1 ]; then name+=-cuda; fi
root=$PWD/dist/$name
rm -rf "$root"
mkdir -p "$root/bin" "$root/lib" "$root/licenses"

"$build/build.sh" "$root/bin/lighter" "-s -w"
if [ "${CUDA:-}" = 1 ]; then
  cp "$torch"/lib/*.so* bin/liblighter_cuda.so "$root/lib/"
  cp -r "$torch"/licenses/* "$root/licenses/"
else
  ldd "$root/bin/lighter" | awk -v lib="$torch/lib/" 'index($3, lib) == 1 { print $3 }' | xargs cp -t "$root/lib"
  cp -r "$torch"/licenses/{torch,nvidia_cuda_runtime,nvidia_cuda_cupti}-* "$root/licenses/"
fi

cp -L "$jpeg"/lib/libjpeg-*.so* "$root/lib/"
cp -r "$jpeg"/licenses/* "$root/licenses/"

cp LICENSE "$root/"
mkdir "$root/licenses/go" "$root/licenses/uPlot"
cp internal/report/uplot/LICENSE "$root/licenses/uPlot/"
cp "$(go env GOROOT)/LICENSE" "$root/licenses/go/"
eval "$("$build/env.sh")"
while read -r module folder; do
  mkdir -p "$root/licenses/$module"
  find "$folder" -maxdepth 1 -type f \( -iname '*licen[cs]e*' -o -iname 'copying*' -o -iname 'notice*' \) -exec cp -t "$root/licenses/$module" {} +
  [ -n "$(ls -A "$root/licenses/$module")" ] || die "$module carries no licence: it cannot be shipped"
done < <(go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}}@{{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/lighter | sort -u)
chmod -R u+w,go+rX "$root/licenses"

# What was packed must not need what stays here: neither the cache nor the environment.
if env -i ldd "$root/bin/lighter" "$root"/lib/libtorch_cpu.so | grep -E "not found|$cache"; then
  die "the packed program needs libraries that are not packed (above)"
fi
env -i "$root/bin/lighter" --version

say "packing dist/$name.tar.gz"
tar --sort=name --owner=0 --group=0 --numeric-owner -C dist -cf - "$name" | gzip -n >"dist/$name.tar.gz.part"
mv "dist/$name.tar.gz.part" "dist/$name.tar.gz"
rm -rf "$root"
say "dist/$name.tar.gz: unpack it anywhere and run bin/lighter"
