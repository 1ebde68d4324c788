#!/bin/sh
# Installs Debian packages for arm64 on top of lower layers; what changed is left in UPPER.
# Runs in a mount namespace of its own (unshare --mount), so that every mount here ends with it.
#   LOWER (lowest last, as overlayfs wants it), UPPER, WORK, MERGED, ARCHIVES, DPKG_OPTIONS; the packages are the arguments
set -eu

mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK" "$MERGED"
mount -t proc proc "$MERGED/proc"
mount --rbind /sys "$MERGED/sys"
mount --rbind /dev "$MERGED/dev"
mount -t tmpfs tmpfs "$MERGED/tmp"
mount -t tmpfs tmpfs "$MERGED/run"
mkdir -p "$MERGED/var/cache/apt/archives" "$MERGED/etc/dpkg/dpkg.cfg.d"
mount --bind "$ARCHIVES" "$MERGED/var/cache/apt/archives"
printf '%s\n' "$DPKG_OPTIONS" >"$MERGED/etc/dpkg/dpkg.cfg.d/ledge"

# openssl's rehash takes minutes under emulation; the bundle is the same text on every architecture
if [ ! -e "$MERGED/usr/sbin/update-ca-certificates" ]; then
  chroot "$MERGED" dpkg-divert --quiet --local --rename --divert /usr/sbin/update-ca-certificates.debian --add /usr/sbin/update-ca-certificates
  ln -s /bin/true "$MERGED/usr/sbin/update-ca-certificates"
fi

apt-get install -y -qq "$@"

rm -f "$MERGED/usr/sbin/update-ca-certificates"
chroot "$MERGED" dpkg-divert --quiet --local --rename --remove /usr/sbin/update-ca-certificates
if [ -d "$MERGED/usr/share/ca-certificates/mozilla" ] && [ ! -s "$MERGED/etc/ssl/certs/ca-certificates.crt" ]; then
  cat "$MERGED"/usr/share/ca-certificates/mozilla/*.crt >"$MERGED/etc/ssl/certs/ca-certificates.crt"
fi

dpkg-query --admindir="$MERGED/var/lib/dpkg" -W -f '${Package} ${Version} ${Architecture} ${Installed-Size}\n' >"$PACKAGES"

# what differs between two builds of the same packages, and what each box makes for itself
rm -f "$MERGED/etc/dpkg/dpkg.cfg.d/ledge" "$MERGED/etc/hostname" "$MERGED/etc/ssh/"ssh_host_*
rm -rf "$MERGED"/var/lib/dpkg/*-old "$MERGED"/var/cache/debconf/*-old "$MERGED/var/cache/ldconfig/aux-cache" "$MERGED"/etc/*- \
  "$MERGED/var/lib/systemd/random-seed" "$MERGED/var/lib/systemd/credential.secret" "$MERGED/var/lib/dpkg/extended_states" \
  "$MERGED/var/lib/dbus/machine-id" "$MERGED/var/cache/fontconfig"
find "$MERGED/var/log" -type f -delete
: >"$MERGED/etc/machine-id"
