/**
 * Which kernel modules the card carries: all but those for hardware that no Raspberry Pi and no virtual machine has. Folders below
 * `kernel/`; a longer name wins over a shorter one.
 */
const LEFT_OUT = [
  'drivers/accel',
  'drivers/android',
  'drivers/ata',
  'drivers/atm',
  'drivers/clk/mediatek',
  'drivers/clk/meson',
  'drivers/clk/qcom',
  'drivers/clk/samsung',
  'drivers/cxl',
  'drivers/edac',
  'drivers/firewire',
  'drivers/gpu',
  'drivers/hwtracing',
  'drivers/infiniband',
  'drivers/interconnect',
  'drivers/media',
  'drivers/memstick',
  'drivers/mtd',
  'drivers/net/can/rockchip',
  'drivers/net/ethernet',
  'drivers/net/fjes',
  'drivers/net/hyperv',
  'drivers/net/ieee802154',
  'drivers/net/wan',
  'drivers/net/wireless',
  'drivers/nvme/target',
  'drivers/pinctrl/mediatek',
  'drivers/pinctrl/qcom',
  'drivers/scsi',
  'drivers/soundwire',
  'drivers/staging/media',
  'drivers/target',
  'drivers/ufs',
  'drivers/usb/gadget',
  'drivers/xen',
  'fs/btrfs',
  'fs/ceph',
  'fs/dlm',
  'fs/ecryptfs',
  'fs/f2fs',
  'fs/gfs2',
  'fs/jfs',
  'fs/nfsd',
  'fs/nilfs2',
  'fs/ntfs3',
  'fs/ocfs2',
  'fs/orangefs',
  'fs/smb/server',
  'fs/ubifs',
  'fs/xfs',
  'net/ceph',
  'net/dccp',
  'net/openvswitch',
  'net/rds',
  'net/sctp',
  'net/smc',
  'net/tipc',
  'net/netfilter/ipset',
  'net/netfilter/ipvs',
  'sound/firewire',
  'sound/hda',
  'sound/pci',
  'sound/soc/amd',
  'sound/soc/intel',
  'sound/soc/mediatek',
  'sound/soc/meson',
  'sound/soc/qcom',
  'sound/soc/renesas',
  'sound/soc/rockchip',
  'sound/soc/samsung',
  'sound/soc/sof',
  'sound/soc/tegra',
  'sound/soc/ti',
] as const;

const KEPT = [
  'drivers/gpu/drm/bridge',
  'drivers/gpu/drm/clients',
  'drivers/gpu/drm/display',
  'drivers/gpu/drm/panel',
  'drivers/gpu/drm/scheduler',
  'drivers/gpu/drm/sysfb',
  'drivers/gpu/drm/tiny',
  'drivers/gpu/drm/v3d',
  'drivers/gpu/drm/vc4',
  'drivers/gpu/drm/virtio',
  'drivers/media/cec',
  'drivers/media/common',
  'drivers/media/mc',
  'drivers/media/usb/uvc',
  'drivers/media/v4l2-core',
  'drivers/net/ethernet/broadcom/genet',
  'drivers/net/ethernet/cadence',
  'drivers/net/wireless/broadcom/brcm80211',
  'drivers/net/wireless/virtual',
] as const;

/** Single modules inside folders that are left out otherwise. */
const KEPT_MODULES = [/^drivers\/gpu\/drm\/[^/]+$/, /^drivers\/scsi\/(scsi_mod|scsi_common|sd_mod|sg)\.ko/];

/** Is the module at this path below `kernel/` on the card? */
export function isWanted(path: string): boolean {
  if (KEPT_MODULES.some((pattern) => pattern.test(path))) return true;
  const longest = (folders: readonly string[]) =>
    Math.max(0, ...folders.filter((folder) => path.startsWith(`${folder}/`)).map((folder) => folder.length));
  return longest(KEPT) >= longest(LEFT_OUT);
}

/** All wanted modules, and those that they need wherever they lie, from the text of `modules.dep`; paths as there. */
export function wantedWithNeeds(modulesDep: string): Set<string> {
  const kept = new Set<string>();
  for (const line of modulesDep.split('\n')) {
    const [path = '', needs = ''] = line.split(':');
    if (!path || !isWanted(path.replace(/^kernel\//, ''))) continue;
    for (const name of [path, ...needs.trim().split(' ').filter(Boolean)]) kept.add(name);
  }
  return kept;
}

/** What the initramfs loads, in this order, each with what it needs; a name that the kernel has not is passed over. */
export const INITRAMFS_MODULES = [
  // watchdogs first: from here on a hang is noticed
  ...['bcm2835_wdt', 'i6300esb'],
  // virtual machines
  ...['virtio_mmio', 'virtio_blk'],
  // the boards' SD slots, and what powers and clocks them
  ...['gpio_raspberrypi_exp', 'clk_raspberrypi', 'fixed', 'gpio_regulator', 'gpio_brcmstb', 'pinctrl_brcmstb_bcm2712', 'reset_raspberrypi'],
  ...['bcm2835', 'sdhci_iproc', 'sdhci_brcmstb'],
  // cards in USB readers, and USB disks
  ...[
    'pcie_brcmstb',
    'xhci_pci',
    'xhci_pci_renesas',
    'dwc2',
    'rp1_pci',
    'clk_rp1',
    'pinctrl_rp1',
    'xhci_plat_hcd',
    'usb_storage',
    'uas',
    'sd_mod',
  ],
  // file systems
  ...['loop', 'ext4', 'squashfs', 'overlay', 'vfat', 'nls_cp437', 'nls_ascii', 'nls_iso8859_1', 'nls_utf8'],
] as const;

/**
 * The modules that a list needs, in load order, from the text of `modules.dep` (depmod(8): `path: needs`, the deepest last).
 * @returns paths below the kernel's module folder
 */
export function withDependencies(names: readonly string[], modulesDep: string): string[] {
  const normal = (name: string) => name.replaceAll('-', '_');
  const byName = new Map<string, { path: string; needs: string[] }>();
  for (const line of modulesDep.split('\n')) {
    const [path, needs] = line.split(':');
    const name = path && /([^/]+)\.ko/.exec(path)?.[1];
    if (path && name) byName.set(normal(name), { path, needs: (needs ?? '').trim().split(' ').filter(Boolean) });
  }
  const ordered = new Set<string>();
  for (const name of names) {
    const found = byName.get(normal(name));
    if (!found) continue;
    for (const need of [...found.needs].reverse()) ordered.add(need);
    ordered.add(found.path);
  }
  return [...ordered];
}
