import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MediaState } from '@ledge/contract';
import { findProgram, until } from '@ledge/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Appliance, slowness, startAppliance } from './appliance.ts';

const SEEK_TOLERANCE_S = 0.3;
const BACK_WITHIN_MS = 2000;

describe.skipIf(!findProgram('mplayer') || !findProgram('sox') || !findProgram('espeak-ng') || process.platform !== 'linux')(
  'a real player',
  () => {
    let ledge: Appliance;
    const state = async () => (await ledge.api<MediaState>('GET', '/api/media')).body;
    const post = async (verb: string, body?: unknown) => {
      const answer = await ledge.api<MediaState>('POST', `/api/media/${verb}`, body);
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      return answer.body;
    };

    beforeAll(async () => {
      ledge = await startAppliance();
      const folder = mkdtempSync(join(tmpdir(), 'ledge-song-'));
      execFileSync('espeak-ng', ['-w', join(folder, 'words.wav'), 'Ledge reads sensors, moves their data, and plays this very sentence.']);
      execFileSync('sox', [join(folder, 'words.wav'), join(folder, 'song.wav'), 'repeat', '9']);
      const upload = await fetch(`${ledge.url}/api/media/library/${encodeURIComponent("it's a $(touch song).wav")}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${ledge.token}`, 'content-type': 'audio/wav' },
        body: readFileSync(join(folder, 'song.wav')),
      });
      expect(upload.status, await upload.text()).toBe(200);
    });
    afterAll(() => ledge?.stop());

    test('it plays an uploaded file: the position advances, pause holds it, an absolute seek lands', async () => {
      await post('queue', { source: "it's a $(touch song).wav" });
      await post('volume', { volume: 37 });
      await post('play');
      await until('sound', async () => ((await state()).positionS ?? 0) > 0.5);
      await post('pause');
      const held = (await state()).positionS;
      const heldSinceMs = performance.now();
      await until('a second', () => performance.now() - heldSinceMs > 1000);
      expect((await state()).positionS).toBe(held);
      await post('seek', { positionS: 20 });
      const landed = await until('the new position', async () => {
        const { positionS } = await state();
        return positionS !== null && positionS !== held && positionS;
      });
      console.log(`seek to 20 s while paused landed at ${landed} s`);
      expect(Math.abs(landed - 20)).toBeLessThanOrEqual(SEEK_TOLERANCE_S);
    });

    test('mplayer killed: the same queue, place and volume go on within 2 s', async () => {
      await post('play');
      const before = await until('sound', async () => {
        const now = await state();
        return now.state === 'playing' && now;
      });
      const mediaPid = await ledge.pidOf('media');
      const pid = await until('mplayer', () => ledge.childOf(mediaPid, 'mplayer'));
      const startMs = performance.now();
      await ledge.killProcess(pid);
      await until('another mplayer', async () => {
        const now = await ledge.childOf(mediaPid, 'mplayer');
        return now !== undefined && now !== pid;
      });
      const after = await until('sound again', async () => {
        const now = await state();
        return now.state === 'playing' && (now.positionS ?? 0) >= (before.positionS ?? 0) - SEEK_TOLERANCE_S && now;
      });
      const tookMs = performance.now() - startMs;
      console.log(`kill -9 of mplayer: playing again after ${Math.round(tookMs)} ms`);
      expect(tookMs).toBeLessThan(BACK_WITHIN_MS * slowness);
      expect(after).toMatchObject({ volume: 37, index: before.index, track: { id: before.track?.id } });
      expect(after.queue).toEqual(before.queue);
    });
  },
);
