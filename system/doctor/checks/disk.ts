import { type Check, type Finding, fault, ok, skipped, warning } from '../check.ts';
import { mountOf } from '../mounts.ts';
import { plural, size, some, withArticle } from '../words.ts';

const MB = 1024 * 1024;

export const rootReadOnly: Check = {
  name: 'root-read-only',
  title: 'System read-only',
  imageOnly: true,
  async look(facts) {
    const root = mountOf(await facts.mounts(), '/');
    if (!root) return skipped('the mount of / is not to be seen here');
    if (root.options.includes('ro')) return ok(`/ is read-only (${root.type})`);
    return fault(`/ is writable (${root.type})`, 'read-only, so that a power cut harms nothing', 'restart the box');
  },
};

export const dataMounted: Check = {
  name: 'data-mounted',
  title: 'Data partition',
  imageOnly: true,
  async look(facts) {
    const { dataRoot } = facts.ports;
    const data = mountOf(await facts.mounts(), dataRoot);
    const wanted = `${dataRoot} on the data partition, writable`;
    const hint = 'the box works, but what it learns is lost at its next start: save the card, then flash a new one';
    if (!data || data.at === '/' || data.type === 'tmpfs' || data.type === 'overlay')
      return fault(`${dataRoot} is on ${data ? withArticle(data.type) : 'nothing'}, not on the data partition`, wanted, hint);
    if (data.options.includes('ro')) return fault(`${data.source} became read-only after an error`, wanted, hint);
    return ok(`${data.source} (${data.type}) is mounted and writable`);
  },
};

export const dataSpace: Check = {
  name: 'data-space',
  title: 'Free space',
  async look({ ports: { files, dataRoot } }) {
    const space = await files.space(dataRoot);
    if (!space || space.bytes === 0) return skipped(`${dataRoot} does not exist yet`);
    const seen = `${size(space.freeBytes)} of ${size(space.bytes)} free for data`;
    const hint = 'delete music, or let the history keep fewer days (recorder settings)';
    if (space.freeBytes < Math.min(space.bytes * 0.02, 200 * MB)) return fault(seen, 'more than 2 % or 200 MB', hint);
    if (space.freeBytes < Math.min(space.bytes * 0.1, 2048 * MB)) return warning(seen, 'more than 10 % or 2 GB', hint);
    return ok(seen);
  },
};

export const dataInodes: Check = {
  name: 'data-files',
  title: 'Free file entries',
  async look({ ports: { files, dataRoot } }) {
    const space = await files.space(dataRoot);
    if (!space) return skipped(`${dataRoot} does not exist yet`);
    if (space.inodes === 0) return skipped(`the file system of ${dataRoot} has no such limit`);
    const share = Math.round((space.freeInodes / space.inodes) * 100);
    const seen = `${share} % of the file entries free`;
    if (share < 2) return fault(seen, 'more than 2 %', 'many small files: delete some');
    return share < 10 ? warning(seen, 'more than 10 %', 'many small files: delete some') : ok(seen);
  },
};

const EXT4 = '/sys/fs/ext4';

export const fileSystemErrors: Check = {
  name: 'file-system-errors',
  title: 'File system errors',
  imageOnly: true,
  async look({ ports: { files } }) {
    const counts: { device: string; errors: number }[] = [];
    for (const device of await files.list(EXT4)) {
      const text = await files.read(`${EXT4}/${device}/errors_count`);
      if (text !== undefined) counts.push({ device, errors: Number(text) });
    }
    if (counts.length === 0) return skipped('no ext4 file system is to be seen here');
    const bad = counts.filter(({ errors }) => errors > 0);
    if (bad.length === 0) return ok(`none on ${counts.map(({ device }) => device).join(', ')}`);
    return fault(
      bad.map(({ device, errors }) => `${plural(errors, 'error')} on ${device}`).join(', '),
      'none',
      'restart, so that it is repaired; when they come again, save your data and replace the card',
    );
  },
};

/** JESD84 EXT_CSD: tenths of the lifetime used, 11 for all of it, 0 for not told. Plain SD cards have no such file. */
export const cardLife: Check = {
  name: 'card-life',
  title: 'Life of the card',
  imageOnly: true,
  async look({ ports: { files } }) {
    let worst = 0;
    let worn = '';
    for (const disk of await files.list('/sys/block')) {
      const text = await files.read(`/sys/block/${disk}/device/life_time`);
      for (const word of text?.trim().split(/\s+/) ?? []) {
        if (Number(word) > worst) {
          worst = Number(word);
          worn = disk;
        }
      }
    }
    if (worst === 0) return skipped('the card does not tell');
    if (worst <= 8) return ok(`${worn} has used less than ${worst * 10} % of its life`);
    const hint = 'save your data, and replace it soon';
    if (worst >= 11) return fault(`${worn} has outlived what its maker promised`, 'less than 90 % used', hint);
    return warning(`${worn} has used ${(worst - 1) * 10} to ${worst * 10} % of its life`, 'less than 80 % used', hint);
  },
};

export const dataState: Check = {
  name: 'data-state',
  title: 'Data at the last start',
  imageOnly: true,
  async look(facts): Promise<Finding> {
    const data = (await facts.boot())?.data;
    switch (data) {
      case undefined:
        return skipped('the start left no word of it');
      case 'rescue':
        return fault(
          'the data partition could not be used; the box runs without it',
          'a data partition that can be used',
          'save the card before you reset the box',
        );
      case 'repaired':
        return warning(
          'the data partition had to be repaired',
          'one that is whole',
          'a power cut may do this once; when it comes again, replace the card',
        );
      case 'fresh':
        return ok('the data partition was made new');
      case 'grown':
        return ok('the data partition was whole, and was grown to the size of the card');
      default:
        return data === 'ok'
          ? ok('the data partition was whole')
          : warning(`the data partition is ${some([data])}`, 'a state that is known');
    }
  },
};
