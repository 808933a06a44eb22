#!/bin/sh
# deb: "remove", or "upgrade" with the new version; rpm: 0 for the last one, 1 and more at an upgrade.
set -e
case $1 in remove | 0) ;; *) exit 0 ;; esac
[ -d /run/systemd/system ] || exit 0
for unit in @UNITS@; do systemctl disable --quiet --now "$unit"; done
