#!/usr/bin/env bash
# Packs what it takes to build the program into the file named: source.sh FILE. The same files make the same archive.
set -euo pipefail
cd "$(dirname "$0")/.."

# files prints the module's files, each with a NUL: those of git, new ones too, or without git all that are there.
files() {
  if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$(pwd -P)" ]; then
    git ls-files -z --cached --others --exclude-standard
  else
    find . -type f -not -path './.*' -not -path './bin/*' -not -path './dist/*' -not -path './outputs/*' -printf '%P\0'
  fi
}

# A file that git knows may have been removed. The archive is none of itself.
files |
  grep -zvE '(^|/)testdata/|_test\.go$|^(bench|configs|docs)/|^[A-Z]+\.md$|^\.|^internal/custom/embedded/|\.(test|prof|out)$' |
  LC_ALL=C sort -z |
  while IFS= read -rd '' file; do if [ -f "$file" ]; then printf '%s\0' "$file"; fi; done |
  tar --null --no-recursion -T - --format=gnu --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf - |
  gzip -9n >"$1"
