#!/bin/sh
# deb: "configure" and, at an upgrade, the old version; rpm: 1 at the first installation, 2 and more at an upgrade.
set -e

first() {
  case $1 in
    configure) [ -z "$2" ] ;;
    *) [ "$1" -eq 1 ] ;;
  esac
}

systemd-sysusers pawld.conf
systemd-tmpfiles --create pawld.conf
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
if first "$@"; then
  # An administrator who disables it later is not overruled by an upgrade.
  for unit in @UNITS@; do systemctl enable --quiet "$unit"; done
  # Without a configuration it is skipped, which is no error: it starts as soon as there is one.
  systemctl start pawld.service
else
  systemctl try-restart pawld.service
fi
