#!/bin/sh
# Makes a .pkg of the frozen pawld, on a Mac: build.sh FROZEN OUT VERSION
#
# FROZEN is the directory that freeze.py made there. The package holds the program below /usr/local/lib/pawld, a link to
# it, and the property list of its job; the scripts load the job. It holds no configuration: that is the
# administrator's, below /Library/Application Support/pawld, and stays through upgrades and removal.
#
# SIGN names a "Developer ID Installer" identity of the keychain; without it the package is unsigned, and Gatekeeper
# lets only `installer` take it.
set -eu
frozen=$1 out=$2 version=$3
here=$(cd "$(dirname "$0")" && pwd)
[ -x "$frozen/pawld" ] || { echo "$frozen has no pawld: freeze.py makes it on a Mac" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root/usr/local/lib" "$root/usr/local/bin" "$root/Library/LaunchDaemons" "$out"
cp -R "$frozen" "$root/usr/local/lib/pawld"
ln -s ../lib/pawld/pawld "$root/usr/local/bin/pawld"
cp "$here/io.pawld.pawld.plist" "$root/Library/LaunchDaemons/"
chmod 644 "$root/Library/LaunchDaemons/io.pawld.pawld.plist" # launchd refuses one that others may write

pkgbuild --root "$root" --scripts "$here/scripts" --identifier io.pawld.pawld --version "$version" \
  --install-location / --ownership recommended "$work/pawld.pkg"
set -- --identifier io.pawld.pawld --version "$version" --package "$work/pawld.pkg"
[ -z "${SIGN:-}" ] || set -- "$@" --sign "$SIGN" --timestamp
productbuild "$@" "$out/pawld-$version.pkg"
echo "$out/pawld-$version.pkg"
