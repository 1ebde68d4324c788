import { bytesText } from '../../client/format.ts';
import type { TopicValue } from '../../client/topic-tree.ts';

const LINE_CHARACTERS = 200;
interface Words {
  nothing: string;
  bytes: (size: string) => string;
}

const sizeOf = (base64: string) => Math.floor((base64.replace(/=+$/, '').length * 3) / 4);

/** A value in the room of a line. */
export function oneLine({ payload, binary }: TopicValue, t: Words): string {
  if (binary) return t.bytes(bytesText(sizeOf(payload)));
  return payload === '' ? t.nothing : payload.slice(0, LINE_CHARACTERS).replaceAll(/\s+/g, ' ');
}

/** A value to be read: JSON with its levels indented, the rest as it came. */
export function readable({ payload, binary }: TopicValue): string {
  if (binary || !/^\s*[[{]/.test(payload)) return payload;
  try {
    return JSON.stringify(JSON.parse(payload), undefined, 2);
  } catch {
    return payload;
  }
}
