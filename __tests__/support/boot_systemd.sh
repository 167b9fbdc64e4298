#!/bin/sh
# boot_systemd.sh IMAGE FOLDER: boots systemd as process 1 on a copy of an image, in namespaces and a
# control group of its own; all of it is gone when the process ends. FOLDER must be empty.
set -eu
group=/sys/fs/cgroup/unified
[ -d "$group" ] || group=/sys/fs/cgroup
mkdir "$group/gophertalk-test"
echo $$ > "$group/gophertalk-test/cgroup.procs"
exec unshare --cgroup --mount --pid --net --ipc --uts --fork --kill-child sh -euc '
mount --make-rprivate /
ip link set lo up
image=$(podman image mount "$1")
mount -t tmpfs tmpfs "$2"
cd "$2"
mkdir upper work root
mount -t overlay -o "lowerdir=$image,upperdir=upper,workdir=work" overlay root
cd root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mkdir old
pivot_root . old
cd /
umount -l old
exec env -i container=podman PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --show-status=no
' sh "$@"
