const RATE = 8000;

const chunk = (name: string, content: Buffer): Buffer<ArrayBuffer> => {
  const head = Buffer.alloc(8);
  head.write(name);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
};

/** A sound file (RIFF WAVE, 8 bit, mono) of so many seconds in which nothing is heard, with a title in it if wanted. */
export function wavOfSilence(seconds: number, title?: string): Buffer<ArrayBuffer> {
  const format = Buffer.alloc(16);
  format.writeUInt16LE(1, 0); // PCM
  format.writeUInt16LE(1, 2); // one channel
  format.writeUInt32LE(RATE, 4);
  format.writeUInt32LE(RATE, 8);
  format.writeUInt16LE(1, 12);
  format.writeUInt16LE(8, 14);
  const info = title === undefined ? [] : [chunk('LIST', Buffer.concat([Buffer.from('INFO'), chunk('INAM', Buffer.from(`${title}\0`))]))];
  return chunk(
    'RIFF',
    Buffer.concat([Buffer.from('WAVE'), chunk('fmt ', format), ...info, chunk('data', Buffer.alloc(Math.round(RATE * seconds), 128))]),
  );
}
