/** What the layers are made of. A layer lies on top of those it names; the card and the containers pick theirs from the same list. */

import type { StandIns } from './stand-ins.ts';

export const SUITE = 'trixie';

/** Debian's names of processors. Containers are made for each, the card for one. */
export const ARCHITECTURES = ['amd64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];
export const CARD_ARCHITECTURE: Architecture = 'arm64';
/** How GNU's tools for that processor are named; they compile for it on any machine. */
export const TRIPLETS = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' } as const satisfies Record<Architecture, string>;

/** Where packages come from, below the mirror; `updates` and `security` replace what the release froze. */
export const COMPONENTS = ['main', 'non-free-firmware'] as const;

export interface LayerRecipe {
  readonly name: string;
  /** Layers below this one, lowest first. */
  readonly on: readonly string[];
  readonly packages: readonly string[];
  readonly standIns?: StandIns;
}

/**
 * A player of sound links all of these. LLVM behind Mesa alone is 180 MB; encoders, network shares, vector graphics and the XML
 * of DASH (with ICU behind it) are 90 MB more.
 */
const PLAYER_STAND_INS = {
  name: 'ledge-stand-ins',
  packages: ['libglx-mesa0', 'libegl-mesa0', 'libgl1-mesa-dri', 'mesa-libgallium'],
  libraries: {
    libgbm1: 'libgbm.so.1',
    libsmbclient0: 'libsmbclient.so.0',
    libxml2: 'libxml2.so.2',
    'librsvg2-2': 'librsvg-2.so.2',
    'libcodec2-1.2': 'libcodec2.so.1.2',
    'libx265-215': 'libx265.so.215',
    libsvtav1enc2: 'libSvtAv1Enc.so.2',
    'librav1e0.7': 'librav1e.so.0.7',
  },
} as const satisfies StandIns;

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
      ...[
        'systemd',
        'systemd-sysv',
        'systemd-timesyncd',
        'systemd-zram-generator',
        'udev',
        'dbus',
        'libpam-systemd',
        'polkitd',
        'kmod',
        'login',
      ],
      // network
      ...['network-manager', 'wpasupplicant', 'dnsmasq-base', 'iw', 'rfkill', 'wireless-regdb', 'firmware-brcm80211', 'nftables'],
      ...['avahi-daemon', 'libnss-mdns', 'libnss-myhostname', 'iproute2', 'iputils-ping', 'openssh-server', 'ca-certificates', 'mosquitto'],
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
    standIns: PLAYER_STAND_INS,
  },
  {
    name: 'kiosk',
    on: ['base', 'machine', 'media'],
    packages: ['cage', 'cog', 'fonts-dejavu-core', 'libgl1-mesa-dri', 'libegl-mesa0', 'libglx-mesa0', 'libgbm1', 'libxml2', 'librsvg2-2'],
  },
  // for containers, where nothing of a machine is wanted below them
  {
    name: 'player',
    on: ['base'],
    packages: ['mplayer', 'ca-certificates'],
    standIns: PLAYER_STAND_INS,
  },
  {
    name: 'mosquitto',
    on: ['base'],
    packages: ['mosquitto'],
  },
] as const satisfies readonly LayerRecipe[];

export type LayerName = (typeof LAYERS)[number]['name'];

/** Unpacked, never installed: the kernel (one for all boards; Pi 5's RP1 needs newer than trixie's), what the Pi's own boot chain wants, and the tools of the initramfs. */
export const UNPACKED = {
  kernel: { suite: `${SUITE}-backports`, meta: 'linux-image-arm64', parts: ['linux-base', 'linux-binary', 'linux-modules'] },
  firmware: { suite: SUITE, packages: ['raspi-firmware', 'u-boot-rpi', 'u-boot-qemu'] },
  initramfs: { suite: SUITE, packages: ['busybox-static'] },
  /** Over the machine layer's: since Linux 6.19 dm-verity words its status otherwise, which RAUC reads from 1.15.2 on (rauc/rauc#1842). */
  updater: { suite: 'forky', packages: ['rauc', 'rauc-service', 'libnl-3-200', 'libnl-genl-3-200'] },
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
