#!/bin/bash
# The floor: everything at once, nothing proven before it is parsed. URL SHA256 ROOT COMPRESSION(zstd|gzip|none)
set -euo pipefail
url=$1 expected=$2 root=$3 compression=$4
mkdir -p "$root/versions/.staging"
cd "$root"
mkfifo sum
sha256sum <sum >found & hashing=$!
if [ "$compression" = none ]; then
  curl -fsSL "$url" | tee sum >versions/.staging/program
  chmod 755 versions/.staging/program
else
  curl -fsSL "$url" | tee sum | tar -x "--$compression" -C versions/.staging
fi
wait "$hashing"
[ "$(cut -c1-64 found)" = "$expected" ]
sync -f versions/.staging
mv -T versions/.staging versions/new
ln -s versions/new current.new
mv -T current.new current
