import { crc32 } from 'node:zlib';

/** One copy of U-Boot's redundant environment: CRC32 of the data, a counter, `key=value` strings each ended by a zero byte. */
export interface StateCopy {
  valid: boolean;
  counter: number;
  variables: Map<string, string>;
}

export const COPY_SIZE = 4096;
/** Where things are in the state partition, in bytes. */
export const STATE = { first: 0, boots: 1 << 20, reset: 2 << 20, data: 3 << 20, second: 4 << 20 } as const;
const HEADER = 5;

export function parseCopy(bytes: Buffer): StateCopy {
  const data = bytes.subarray(HEADER, COPY_SIZE);
  const variables = new Map<string, string>();
  for (const entry of data.toString('latin1').split('\0')) {
    if (entry === '') break;
    const equals = entry.indexOf('=');
    if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return { valid: bytes.readUInt32LE(0) === crc32(data), counter: bytes.readUInt8(4), variables };
}

export function formatCopy({ counter, variables }: Pick<StateCopy, 'counter' | 'variables'>): Buffer {
  const bytes = Buffer.alloc(COPY_SIZE);
  bytes.write([...variables].map(([name, value]) => `${name}=${value}\0`).join(''), HEADER, 'latin1');
  bytes.writeUInt8(counter, 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(HEADER)), 0);
  return bytes;
}

/** The state partition: what holds (the newer valid copy; 255 is older than 0), both copies, and the marks beside them. */
export interface SlotState {
  copies: readonly [StateCopy, StateCopy];
  /** Undefined when both copies are damaged. */
  variables: Map<string, string> | undefined;
  /** First line of each mark; empty when the sector is all zeros. */
  marks: { boots: string; reset: string; data: string };
}

export function parseState(partition: Buffer): SlotState {
  const at = (offset: number) => parseCopy(partition.subarray(offset, offset + COPY_SIZE));
  const mark = (offset: number) =>
    partition
      .subarray(offset, offset + 512)
      .toString('latin1')
      .split(/[\0\n]/)[0] ?? '';
  const [first, second] = [at(STATE.first), at(STATE.second)];
  const marks = { boots: mark(STATE.boots), reset: mark(STATE.reset), data: mark(STATE.data) };
  return { copies: [first, second], variables: newer(first, second)?.variables, marks };
}

function newer(first: StateCopy, second: StateCopy): StateCopy | undefined {
  if (!first.valid) return second.valid ? second : undefined;
  if (!second.valid) return first;
  const ahead = (second.counter - first.counter + 256) % 256;
  return ahead > 0 && ahead < 128 ? second : first;
}
