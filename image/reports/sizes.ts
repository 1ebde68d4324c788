import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ReportParts } from '../reports.ts';

/** Groups that people ask about, by the names of their packages; the first that fits takes a package. */
const GROUPS: readonly [string, RegExp][] = [
  [
    'browser and graphics',
    /^(cage|cog|libwpe|libmesa|mesa|libllvm|libgl|libegl|libdrm|libwlroots|libgst|gstreamer|libwebkit|libwpewebkit|fonts-)/,
  ],
  ['sound', /^(mplayer|alsa|libasound|libav|libsw|libx26|libvpx|libaom|libcodec|libpulse|libjack|libmp3|libfaad|libdvd)/],
  ['radio and board firmware', /firmware|wireless-regdb/],
  [
    'network',
    /^(network-manager|wpasupplicant|dnsmasq|iw$|avahi|libnm|nftables|libnft|openssh|iproute|mosquitto|libnss-mdns|libndp|libteam)/,
  ],
  ['updates', /^(rauc|libubootenv|libnl|casync)/],
  ['systemd and D-Bus', /^(systemd|libsystemd|udev|libudev|dbus|libdbus|polkit|libpolkit|libpam)/],
  ['ICU and glib', /^(libicu|libglib)/],
];

/** A table of what the image is made of, by package group (installed) and by file of the slot (compressed). */
export function sizeTable(parts: ReportParts, debian: readonly { name: string; installedKib: number }[]): string {
  const sums = new Map<string, number>();
  for (const { name, installedKib } of debian) {
    const group = GROUPS.find(([, pattern]) => pattern.test(name))?.[0] ?? 'Debian base';
    sums.set(group, (sums.get(group) ?? 0) + installedKib);
  }
  const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1).padStart(8)} MiB`;
  const groups = [...sums].sort(([, a], [, b]) => b - a).map(([group, kib]) => `${mib(kib * 1024)}  ${group}`);
  const files = ['Image.lz4', 'initrd.img', 'system.squashfs', 'kiosk.squashfs', 'app.squashfs'].flatMap((name) => {
    const size = statSync(join(parts.slotFolder, name), { throwIfNoEntry: false })?.size;
    return size === undefined ? [] : [`${mib(size)}  ${name}`];
  });
  const large = [...debian]
    .sort((a, b) => b.installedKib - a.installedKib)
    .slice(0, 30)
    .map(({ name, installedKib }) => `${mib(installedKib * 1024)}  ${name}`);
  const whole = [parts.card, parts.bundle].map((file) => `${mib(statSync(file).size)}  ${basename(file)}`);
  return [
    'Packages by group, installed',
    ...groups,
    '',
    'A slot, as it lies on the card',
    ...files,
    '',
    'Files',
    ...whole,
    '',
    'The thirty largest packages, installed',
    ...large,
    '',
  ].join('\n');
}
