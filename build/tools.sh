#!/usr/bin/env bash
# Names every missing or too old tool at once, with how to get it. With "pip", pip is needed too, and the
# command that runs it is printed.
set -euo pipefail

missing=() apt=() dnf=() notes=()

lacks() { # lacks TEXT APT DNF
  missing+=("$1")
  if [ -n "$2" ]; then apt+=("$2"); fi
  if [ -n "$3" ]; then dnf+=("$3"); fi
}

has() { command -v "$1" >/dev/null 2>&1; }

# at_least FOUND MAJOR MINOR
at_least() {
  local major=${1%%.*} rest=${1#*.}
  local minor=${rest%%[!0-9]*}
  [ "$major" -gt "$2" ] 2>/dev/null || { [ "$major" -eq "$2" ] && [ "${minor:-0}" -ge "$3" ]; } 2>/dev/null
}

system=$(uname -sm)
if [ "$system" != "Linux x86_64" ]; then
  echo "lighter: builds on x86-64 Linux only, this is $system" >&2
  exit 1
fi

# In the checkout, a Go of 1.21 or later fetches the version that go.mod asks for by itself.
go=""
if has go; then
  go=$(cd "$(dirname "$0")" && go env GOVERSION 2>/dev/null) || go=$(cd / && go env GOVERSION 2>/dev/null) || go=""
  go=${go#go}
fi
if ! at_least "${go:-0.0}" 1 26; then
  lacks "Go 1.26 or newer${go:+ (found $go)}" "" golang
  notes+=("Go for any Linux: https://go.dev/doc/install (on Ubuntu also: sudo snap install go --classic)")
fi

cc=${CC:-gcc} cxx=${CXX:-g++}
if ! has "${cc%% *}"; then lacks "a C compiler ($cc)" gcc gcc; fi
if ! has "${cxx%% *}"; then
  lacks "a C++ compiler ($cxx)" g++ gcc-c++
elif [[ ${cxx%% *} == *g++* ]]; then
  found=$($cxx -dumpfullversion 2>/dev/null || $cxx -dumpversion)
  if ! at_least "$found.0" 9 0; then lacks "g++ 9 or newer (found $found)" g++ gcc-c++; fi
fi

for tool in flock:util-linux:util-linux-core cmp:diffutils:diffutils sha256sum:coreutils:coreutils xargs:findutils:findutils; do
  IFS=: read -r name deb rpm <<<"$tool"
  if ! has "$name"; then lacks "$name" "$deb" "$rpm"; fi
done

if [ "${1:-}" = pip ]; then
  found=""
  for pip in pip3 pip "python3 -m pip"; do
    if found=$($pip --version 2>/dev/null | sed -n 's/^pip \([0-9.]*\).*/\1/p') && [ -n "$found" ]; then break; fi
  done
  if [ -z "$found" ]; then
    lacks "pip (pip3, pip or python3 -m pip)" python3-pip python3-pip
  elif ! at_least "$found" 20 3; then
    lacks "pip 20.3 or newer (found $found)" python3-pip python3-pip
  fi
fi

if [ ${#missing[@]} -eq 0 ]; then
  if [ "${1:-}" = pip ]; then echo "$pip"; fi
  exit 0
fi
{
  echo "lighter: what the build needs is missing:"
  printf '  - %s\n' "${missing[@]}"
  if [ ${#apt[@]} -gt 0 ]; then echo "Debian, Ubuntu: sudo apt-get install ${apt[*]}"; fi
  if [ ${#dnf[@]} -gt 0 ]; then echo "Fedora:         sudo dnf install ${dnf[*]}"; fi
  if [ ${#notes[@]} -gt 0 ]; then printf '%s\n' "${notes[@]}"; fi
} >&2
exit 1
