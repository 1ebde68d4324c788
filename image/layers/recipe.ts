/** What the layers are made of. A layer lies on top of those it names; the card and the containers pick theirs from the same list. */

export const SUITE = 'trixie';
/** Where packages come from, below the mirror; `updates` and `security` replace what the release froze. */
export const COMPONENTS = ['main', 'non-free-firmware'] as const;

export interface LayerRecipe {
  readonly name: string;
  /** Layers below this one, lowest first. */
  readonly on: readonly string[];
  readonly packages: readonly string[];
  /** Empty packages that stand in for real ones: name → what they say to provide. */
  readonly standIns?: Readonly<Record<string, readonly string[]>>;
}

/** Debian layers, in build order. */
export const LAYERS = [
  {
    name: 'base',
    on: [],
    packages: ['libstdc++6', 'libsystemd0', 'netbase', 'tzdata'],
  },
  {
    name: 'machine',
    on: ['base'],
    packages: [
      // init, devices, rights
      ...['systemd', 'systemd-sysv', 'systemd-timesyncd', 'systemd-zram-generator', 'udev', 'dbus', 'libpam-systemd', 'polkitd', 'kmod'],
      // network
      ...['network-manager', 'wpasupplicant', 'dnsmasq-base', 'iw', 'rfkill', 'wireless-regdb', 'firmware-brcm80211', 'nftables'],
      ...['avahi-daemon', 'libnss-mdns', 'iproute2', 'iputils-ping', 'openssh-server', 'ca-certificates', 'mosquitto'],
      // updates and disks
      ...['rauc', 'rauc-service', 'libubootenv-tool', 'e2fsprogs', 'dosfstools'],
      // for people on the console, and for the gpio driver
      ...['procps', 'less', 'gpiod'],
    ],
  },
  {
    name: 'media',
    on: ['base', 'machine'],
    packages: ['mplayer', 'alsa-utils'],
    // mplayer links libGL, whose loader wants a driver; without a picture nobody calls it, and LLVM behind Mesa is 180 MB
    standIns: { 'ledge-without-mesa': ['libglx-mesa0', 'libegl-mesa0', 'libgl1-mesa-dri', 'mesa-libgallium', 'libgbm1'] },
  },
  {
    name: 'kiosk',
    on: ['base', 'machine', 'media'],
    packages: ['cage', 'cog', 'fonts-dejavu-core', 'libgl1-mesa-dri', 'libegl-mesa0', 'libglx-mesa0', 'libgbm1'],
  },
] as const satisfies readonly LayerRecipe[];

export type LayerName = (typeof LAYERS)[number]['name'];

/** Unpacked, never installed: the kernel (one for all boards; Pi 5's RP1 needs newer than trixie's), what the Pi's own boot chain wants, and the tools of the initramfs. */
export const UNPACKED = {
  kernel: { suite: `${SUITE}-backports`, meta: 'linux-image-arm64', parts: ['linux-base', 'linux-binary', 'linux-modules'] },
  firmware: { suite: SUITE, packages: ['raspi-firmware', 'u-boot-rpi', 'u-boot-qemu'] },
  initramfs: { suite: SUITE, packages: ['busybox-static'] },
} as const;

/** What dpkg leaves out: nobody reads manuals on the box, and the hardware database costs a minute of emulated time and 12 MB. */
export const DPKG_OPTIONS = [
  'force-unsafe-io',
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/lintian/*',
  'path-exclude=/usr/share/bug/*',
  'path-exclude=/usr/share/bash-completion/*',
  'path-exclude=/usr/share/zsh/*',
  'path-exclude=/usr/lib/udev/hwdb.d/*',
  // radios of laptops; the Pi's are these four families
  'path-exclude=/usr/lib/firmware/brcm/*',
  'path-include=/usr/lib/firmware/brcm/*434[35][0-9]*',
  'path-include=/usr/lib/firmware/brcm/*aspberrypi*',
  'path-exclude=/usr/lib/firmware/cypress/*',
  'path-include=/usr/lib/firmware/cypress/*434[35][0-9]*',
  'path-exclude=/usr/share/alsa/speaker-test/*',
  'path-exclude=/usr/share/sounds/alsa/*',
] as const;
