#!/bin/sh
# Lays our services and the configuration of the card over the system: users, enabled units. What changed becomes a layer of its own, so
# that a change of our code packs a few MB anew. Runs in a mount namespace of its own. LOWER, UPPER, WORK, MERGED, FILES, OUT, EPOCH
set -eu

mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK" "$MERGED"
cp -a --no-preserve=ownership "$FILES/." "$MERGED/"
# or the day of the build stands in shadow(5)
SOURCE_DATE_EPOCH="$EPOCH" systemd-sysusers --root="$MERGED"
systemctl --root="$MERGED" preset-all >/dev/null 2>&1
rm -f "$MERGED/etc/passwd-" "$MERGED/etc/group-" "$MERGED/etc/shadow-" "$MERGED/etc/gshadow-" "$MERGED/etc/.pwd.lock"
: >"$MERGED/etc/machine-id"
umount "$MERGED"
# overlayfs notes in attributes and links which lower file each was, by numbers that differ from build to build
cp -a --no-preserve=links,xattr "$UPPER" "$UPPER.plain"
mksquashfs "$UPPER.plain" "$OUT" -no-xattrs -noappend -no-progress -quiet -comp zstd -Xcompression-level 15 -b 256K -all-time "$EPOCH" -mkfs-time "$EPOCH" -processors "$(nproc)"
