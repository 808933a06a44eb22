#!/bin/bash
# Boots a real systemd as PID 1 of its own namespaces, on a throw-away overlay of this machine's root file system.
# Nothing of it is left on the machine but the control group that STATE/cgroup names, which whoever booted it removes.
#
#   systemd-host.sh STATE [DIRECTORY...]      each DIRECTORY of this machine is seen inside at the same path, writable
#
# Enter it with nsenter -t PID -a --wd=/, where PID is the only child of this script's process; end it with SIGKILL.
set -euo pipefail
STATE=$(realpath -m "$1")
shift
SHARED=("$@")
mkdir -p "$STATE/overlay" "$STATE/root"
GROUPS_AT=/sys/fs/cgroup/unified
[ -d "$GROUPS_AT" ] || GROUPS_AT=/sys/fs/cgroup
GROUP=$GROUPS_AT/systemd-host-$$
mkdir "$GROUP"
echo "$GROUP" > "$STATE/cgroup"
echo $$ > "$GROUP/cgroup.procs"
export STATE

inside() {
  set -euo pipefail
  mount -t tmpfs -o mode=755,size=2g tmpfs "$STATE/overlay"
  mkdir "$STATE/overlay/upper" "$STATE/overlay/work"
  mount -t overlay -o "lowerdir=/,upperdir=$STATE/overlay/upper,workdir=$STATE/overlay/work" overlay "$STATE/root"
  local root=$STATE/root
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
  # The overlay keeps what is written to /tmp. Nothing may clear it: the checkout may lie below it.
  chmod 1777 "$root/tmp"; mkdir -p "$root/etc/tmpfiles.d"; : >"$root/etc/tmpfiles.d/tmp.conf"
  mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
  mkdir -p "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
  for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  for directory in "$@"; do
    mkdir -p "$root$directory"
    mount --bind "$directory" "$root$directory"
  done
  hostname systemd-host
  ip link set lo up 2>/dev/null || true
  cd "$root"
  mkdir -p run/outside
  mount --make-rprivate /
  pivot_root . run/outside
  umount -l /run/outside
  mount --make-rshared / # as systemd finds it on a host: it hands credentials to units through it
  mkdir -p /run/systemd
  exec env -i container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LANG=C.UTF-8 \
    /lib/systemd/systemd --system --unit=basic.target --log-target=console --show-status=false
}
export -f inside
exec unshare --mount --pid --fork --kill-child=SIGKILL --uts --ipc --net --cgroup --propagation private \
  bash -c 'inside "$@"' inside "${SHARED[@]}"
