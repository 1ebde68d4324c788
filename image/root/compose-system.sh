#!/bin/sh
# Puts Debian's layers together into the read-only system of the card: what packages left in /var becomes a skeleton (the data partition
# is mounted there), and what no box needs goes. Runs in a mount namespace of its own. LOWER, UPPER, WORK, MERGED, OUT, EPOCH, LEVEL
set -eu

mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK" "$MERGED"
cd "$MERGED"

mkdir -p usr/share/ledge/var-skeleton boot/firmware
rm -rf var/cache/* var/lib/apt var/lib/dpkg/info/*.md5sums var/log/* var/tmp/* var/backups
rm -rf usr/share/ledge/dpkg && mv var/lib/dpkg usr/share/ledge/dpkg
find var -mindepth 1 -maxdepth 1 ! -name run ! -name lock -exec cp -a {} usr/share/ledge/var-skeleton/ \;
rm -rf var && mkdir var
rm -f etc/resolv.conf etc/mtab
ln -s /run/NetworkManager/resolv.conf etc/resolv.conf
ln -s ../proc/self/mounts etc/mtab
rm -rf usr/lib/udev/hwdb.d usr/lib/udev/hwdb.bin usr/share/doc-base usr/share/lintian usr/share/common-licenses/.tmp tmp/* run/* boot/grub

cd /
mksquashfs "$MERGED" "$OUT" -noappend -no-progress -quiet -comp zstd -Xcompression-level "$LEVEL" -b 256K -all-time "$EPOCH" -mkfs-time "$EPOCH" -processors "$(nproc)"
