import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Card, REPORT_FILE } from './card.ts';
import { DiskFiles } from './data-files.ts';
import { runImport } from './import.ts';
import { FakeMachine, TestBox, ZONEINFO } from './test-support.ts';

/** A card, a data directory and a machine, whose power can be cut. */
export class Box extends TestBox {
  readonly machine = new FakeMachine();
  readonly data = join(this.root, 'data');
  readonly warnings: string[] = [];
  /** What the medium gets to see, in this order. */
  readonly order: string[] = [];
  /** The card cannot be written. */
  brokenCard = false;
  /** Files of the card whose clusters are gone. */
  readonly unreadable = new Set<string>();
  /** The power goes when this happens. */
  cutAt: string | undefined;

  constructor() {
    super();
    mkdirSync(this.data);
    this.put(REPORT_FILE, ' '.repeat(16 * 1024));
  }

  async import() {
    const files = new DiskFiles(this.data);
    let dead = false;
    const happen = (what: string) => {
      this.order.push(what);
      if (this.cutAt === what) {
        // from now on nothing happens any more
        dead = true;
        this.machine.failing = new Set(['putWifi', 'putWired', 'setHostname', 'setPrettyName', 'setTimezone']);
      }
      if (dead) throw new PowerCut();
    };
    const card = new Card(this.root);
    const overwrite = card.overwrite.bind(card);
    card.overwrite = (name, expected, patches) => {
      happen('wipe');
      if (this.brokenCard) throw new Error('EROFS: read-only file system');
      overwrite(name, expected, patches);
    };
    const read = card.read.bind(card);
    card.read = (name) => {
      if (this.unreadable.has(name)) throw new Error('EIO: i/o error');
      return read(name);
    };
    return await runImport({
      card,
      ports: {
        networks: this.machine,
        host: this.machine,
        files: {
          read: (path) => files.read(path),
          remove: (path) => files.remove(path),
          write: (path, content, mode) => {
            if (dead) throw new PowerCut();
            files.write(path, content, mode);
            happen(path);
          },
        },
        sync: async () => happen('sync'),
      },
      box: 'ledge-a1b2c3d4',
      hostname: 'ledge-a1b2',
      zoneinfo: ZONEINFO,
      now: () => new Date('2026-11-24T05:00:00Z'),
      warn: (message) => this.warnings.push(message),
    });
  }

  kept(path: string): string | undefined {
    const file = join(this.data, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }
}
export class PowerCut extends Error {}
