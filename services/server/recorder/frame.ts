import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { PropertyAddress } from '@ledge/contract';
import type { Batch, Columns } from './batch.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { readIntegers, readValues, writeIntegers, writeValues } from './columns.ts';

/**
 * A frame is some seconds of readings of all series, decodable by itself:
 *
 *     0  magic 'LDG1'          16  first time, double, ms since 1970
 *     4  CRC-32 of what follows 24  last time
 *     8  payload bytes         32  payload, zstd; then zeros up to the page
 *    12  readings
 *
 * Frames begin at page borders, so a page of the card is never written twice, and a broken frame does not hide those behind it.
 */
export const PAGE_BYTES = 4096;
const HEADER_BYTES = 32;
const CRC_FROM = 8;
const MAGIC = 0x3147_444c;
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

export interface FrameHeader {
  /** Where it begins in its segment, and how many bytes it takes there, padding included. */
  offset: number;
  bytes: number;
  count: number;
  firstMs: number;
  lastMs: number;
}

/** A frame whose checksum was right. */
export interface Frame extends FrameHeader {
  payload: Buffer;
}

/** Names of series by id; a segment says each name once, in the first frame that has the series. */
export type Names = ReadonlyMap<number, PropertyAddress>;

const paged = (bytes: number) => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;

/** The batch as bytes that fill whole pages. `names` are those that the segment does not have yet. */
export function encodeFrame(batch: Batch, names: Names): Buffer {
  const payload = zstdCompressSync(encodePayload(batch, names));
  const frame = Buffer.alloc(paged(HEADER_BYTES + payload.length));
  frame.writeUInt32LE(MAGIC, 0);
  frame.writeUInt32LE(payload.length, 8);
  frame.writeUInt32LE(batch.count, 12);
  frame.writeDoubleLE(batch.firstMs, 16);
  frame.writeDoubleLE(batch.lastMs, 24);
  payload.copy(frame, HEADER_BYTES);
  frame.writeUInt32LE(crc32(frame.subarray(CRC_FROM, HEADER_BYTES + payload.length)), 4);
  return frame;
}

function encodePayload(batch: Batch, names: Names): Buffer {
  const to = new ByteWriter();
  to.unsigned(names.size);
  for (const [id, { thing, node, property }] of names) {
    to.unsigned(id);
    for (const name of [thing, node, property]) to.text(name);
  }
  to.unsigned(batch.columns.size);
  for (const [id, { timesMs, seqs, values }] of batch.columns) {
    const columns = new ByteWriter();
    writeIntegers(
      columns,
      timesMs.map((atMs) => atMs - batch.firstMs),
    );
    writeIntegers(columns, seqs);
    writeValues(columns, values);
    to.unsigned(id);
    to.unsigned(timesMs.length);
    to.block(columns.bytes);
  }
  return to.bytes;
}

/** The frame that begins at `offset`, or undefined where there is none whose checksum is right. */
export function frameAt(segment: Buffer, offset: number): Frame | undefined {
  if (offset + HEADER_BYTES > segment.length || segment.readUInt32LE(offset) !== MAGIC) return undefined;
  const payloadBytes = segment.readUInt32LE(offset + 8);
  const end = offset + HEADER_BYTES + payloadBytes;
  if (payloadBytes > MAX_PAYLOAD_BYTES || end > segment.length) return undefined;
  if (crc32(segment.subarray(offset + CRC_FROM, end)) !== segment.readUInt32LE(offset + 4)) return undefined;
  return {
    offset,
    bytes: paged(HEADER_BYTES + payloadBytes),
    count: segment.readUInt32LE(offset + 12),
    firstMs: segment.readDoubleLE(offset + 16),
    lastMs: segment.readDoubleLE(offset + 24),
    payload: segment.subarray(offset + HEADER_BYTES, end),
  };
}

/** Every good frame from `offset` on; pages that belong to none are passed over. */
export function* framesIn(segment: Buffer, offset = 0): Generator<Frame> {
  for (let at = offset; at < segment.length; ) {
    const frame = frameAt(segment, at);
    if (frame) yield frame;
    at += frame?.bytes ?? PAGE_BYTES;
  }
}

/** What a frame holds: names first said here, and the columns of the series that are `wanted` (all without it). */
export function decodeFrame(
  frame: Frame,
  wanted?: ReadonlySet<number>,
): { names: Map<number, PropertyAddress>; columns: Map<number, Columns> } {
  const from = new ByteReader(zstdDecompressSync(frame.payload));
  const names = new Map<number, PropertyAddress>();
  for (let left = from.unsigned(); left > 0; left--) {
    names.set(from.unsigned(), { thing: from.text(), node: from.text(), property: from.text() });
  }
  const columns = new Map<number, Columns>();
  for (let left = from.unsigned(); left > 0; left--) {
    const id = from.unsigned();
    const count = from.unsigned();
    const block = from.block();
    if (!wanted || wanted.has(id)) columns.set(id, decodeColumns(new ByteReader(block), count, frame.firstMs));
  }
  return { names, columns };
}

function decodeColumns(from: ByteReader, count: number, firstMs: number): Columns {
  return {
    timesMs: readIntegers(from, count).map((offsetMs) => firstMs + offsetMs),
    seqs: readIntegers(from, count),
    values: readValues(from, count),
  };
}
