import { expect, test } from 'vitest';
import { faultsOfExt4 } from './check-disk.ts';

const AFTER_A_CUT = `ledge-data: recovering journal
Pass 1: Checking inodes, blocks, and sizes
Pass 5: Checking group summary information
Free blocks count wrong (601483, counted=600559).
Fix? yes

Free inodes count wrong (157428, counted=157283).
Fix? yes

Feature orphan_present is set but orphan file is clean.
Clear? yes


ledge-data: ***** FILE SYSTEM WAS MODIFIED *****
`;

test('what ext4 puts right at an unmount is no fault after a power cut', () => {
  expect(faultsOfExt4(AFTER_A_CUT)).toEqual([]);
});

test('anything else is one, and is told with its question', () => {
  const broken = AFTER_A_CUT.replace('Pass 5', 'Unattached inode 12\nConnect to /lost+found? yes\n\nPass 5');
  expect(faultsOfExt4(broken)).toContain('Unattached inode 12 Connect to /lost+found? yes');
});
