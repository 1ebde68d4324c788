import { expect, test } from 'vitest';
import { isWanted, wantedWithNeeds, withDependencies } from './modules.ts';

const DEP = `kernel/fs/ext4/ext4.ko: kernel/lib/crc/crc16.ko kernel/fs/jbd2/jbd2.ko kernel/fs/mbcache.ko
kernel/fs/jbd2/jbd2.ko:
kernel/lib/crc/crc16.ko:
kernel/fs/mbcache.ko:
kernel/drivers/usb/dwc2/dwc2.ko: kernel/drivers/usb/gadget/udc/udc-core.ko
kernel/drivers/usb/gadget/udc/udc-core.ko:
kernel/drivers/usb/gadget/legacy/g_ether.ko:
`;

test('hardware that no board has is left out, and what lies deeper may be kept', () => {
  expect(isWanted('drivers/infiniband/core/ib_core.ko')).toBe(false);
  expect(isWanted('drivers/gpu/drm/amd/amdgpu/amdgpu.ko')).toBe(false);
  expect(isWanted('drivers/gpu/drm/vc4/vc4.ko')).toBe(true);
  expect(isWanted('drivers/gpu/drm/drm_kms_helper.ko')).toBe(true);
  expect(isWanted('drivers/net/wireless/broadcom/brcm80211/brcmfmac/brcmfmac.ko')).toBe(true);
  expect(isWanted('drivers/w1/masters/w1-gpio.ko')).toBe(true);
});

test('a module that a kept one needs is kept wherever it lies', () => {
  const kept = wantedWithNeeds(DEP);
  expect(kept).toContain('kernel/drivers/usb/gadget/udc/udc-core.ko');
  expect(kept).not.toContain('kernel/drivers/usb/gadget/legacy/g_ether.ko');
});

test('modules are loaded after what they need, each once, and unknown names are passed over', () => {
  expect(withDependencies(['jbd2', 'ext4', 'no_such'], DEP)).toEqual([
    'kernel/fs/jbd2/jbd2.ko',
    'kernel/fs/mbcache.ko',
    'kernel/lib/crc/crc16.ko',
    'kernel/fs/ext4/ext4.ko',
  ]);
});
