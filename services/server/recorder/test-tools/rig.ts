import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Reading } from '@ledge/contract';
import type { Bus, Clock, Logger, Message } from '@ledge/kit';
import { fakeClock, memoryBus } from '@ledge/testing';
import pino from 'pino';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { diskFiles, type Files, type OpenFile } from '../files.ts';
import { createRecorder, type HistoryQuery, type RecorderSettings, recorderSettingsSchema } from '../index.ts';

import { EDGE, START, sayReading, TEMPERATURE } from './sensors.ts';

/** Files that count what they write, and fail when they are told to. */
export function countingFiles() {
  const state = {
    written: 0,
    writes: 0,
    failure: undefined as Error | undefined,
    hang: undefined as Promise<void> | undefined,
    open: new Set<OpenFile>(),
  };
  const files: Files = {
    ...diskFiles,
    async create(path) {
      if (state.failure) throw state.failure;
      const file = await diskFiles.create(path);
      state.open.add(file);
      return {
        ...file,
        async close() {
          if (state.open.delete(file)) await file.close();
        },
        async write(data, position) {
          if (state.failure) throw state.failure;
          await state.hang;
          await file.write(data, position);
          state.written += data.length;
          state.writes++;
        },
      };
    },
  };
  return { files, state };
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ledge-recorder-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Clock and bus of a process that can be killed: from then on nothing happens in it any more. */
function mortal(clock: Clock, bus: Bus) {
  let alive = true;
  const whileAlive =
    <A extends unknown[]>(task: (...args: A) => void) =>
    (...args: A) => {
      if (alive) task(...args);
    };
  return {
    clock: { ...clock, after: (ms: number, task: () => void) => clock.after(ms, whileAlive(task)) },
    bus: { ...bus, subscribe: (filter: string, handler: (message: Message) => void) => bus.subscribe(filter, whileAlive(handler)) },
    kill() {
      alive = false;
    },
  };
}

/** Lines that were logged, as objects. */
export function memoryLog(): { log: Logger; lines: { level: number; msg: string }[] } {
  const lines: { level: number; msg: string }[] = [];
  return { log: pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) }), lines };
}

/** A recorder on a real directory, with a clock that the test moves. `restart` makes a new one on the same directory. */
export async function recorderRig(options: { settings?: Partial<RecorderSettings>; startMs?: number } = {}) {
  const dataDir = await temporaryDirectory();
  const clock = fakeClock(options.startMs ?? START);
  const bus = memoryBus();
  const disk = countingFiles();
  const { log, lines } = memoryLog();
  const settings = recorderSettingsSchema.parse(options.settings ?? {});
  const make = () => {
    const metrics = new Registry();
    const { kill, ...ports } = mortal(clock, bus);
    return { kill, metrics, recorder: createRecorder({ ...ports, edge: EDGE, dataDir, log, metrics, settings, files: disk.files }) };
  };
  let abandoned = false;
  let current = make();
  await current.recorder.start();
  const rig = {
    dataDir,
    clock,
    bus,
    disk: disk.state,
    lines,
    get recorder() {
      return current.recorder;
    },
    address: TEMPERATURE,
    /** Says a reading measured `atMs` after the start of the test. */
    say(seq: number, atMs: number, value: Reading['value'] = seq, more: { replayed?: boolean; address?: typeof TEMPERATURE } = {}) {
      sayReading(bus, seq, (options.startMs ?? START) + atMs, value, more);
    },
    /** Moves time on; saving has happened when it resolves. */
    async pass(ms: number) {
      await clock.advance(ms);
      await current.recorder.flush();
    },
    /** A new process on the same directory; the old one is stopped, or killed: then it just does nothing any more. */
    async restart({ killed = false } = {}) {
      if (killed) current.kill();
      else await current.recorder.stop();
      current = make();
      await current.recorder.start();
    },
    /** Leaves the recorder as a hung process is left: not even stopped at the end. */
    abandon() {
      abandoned = true;
    },
    async raw(query: Partial<HistoryQuery> = {}) {
      const { points } = await current.recorder.query({ ...TEMPERATURE, fromMs: 0, toMs: 8e15, limit: 100_000, ...query });
      return points;
    },
    async metric(name: string) {
      const { values } = (await current.metrics.getSingleMetric(`ledge_history_${name}`)?.get()) ?? { values: [] };
      return values[0]?.value;
    },
  };
  onTestFinished(async () => {
    if (!abandoned) await current.recorder.stop();
    for (const file of disk.state.open) await file.close();
  });
  return rig;
}
