import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MediaState } from '@ledge/contract';
import { type RunningService, runService } from '@ledge/kit';
import { freePort, MosquittoBroker, until, wavOfSilence } from '@ledge/testing';
import { connect, type MqttClient } from 'mqtt';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Fixtures, fixtures } from './fixtures.ts';
import { media } from './media.ts';
import { Radio } from './radio.ts';

const run = promisify(execFile);
const EDGE = 'ledge-test';
let made: Fixtures;
let tone: string;
let broker: MosquittoBroker;
let data: string;
let service: RunningService | undefined;

beforeAll(async () => {
  made = await fixtures();
  tone = await made.tone('tone.wav', 30);
  broker = new MosquittoBroker(await freePort());
  await broker.start();
});
afterAll(async () => {
  await broker.stop();
  await made.remove();
});
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'ledge-media-it-'));
  await mkdir(join(data, 'media'));
});
afterEach(async () => {
  await service?.stop();
  service = undefined;
  await rm(data, { recursive: true, force: true });
});

async function start(environment: Record<string, string> = {}): Promise<void> {
  service = await runService(media, {
    environment: { EDGE_DATA: data, EDGE_ID: EDGE, EDGE_MQTT_URL: broker.url, ...environment },
    log: pino({ level: process.env.EDGE_LOG_LEVEL ?? 'silent' }),
  });
}

async function ask<T = MediaState>(method: string, path: string, body?: object | Uint8Array, type = 'audio/wav'): Promise<T> {
  const socketPath = service?.address.replace(/^(?:unix|pipe):/, '') ?? '';
  const raw = body instanceof Uint8Array;
  const headers = {
    'x-ledge-user': 'test',
    'x-ledge-role': 'admin',
    ...(body ? { 'content-type': raw ? type : 'application/json' } : {}),
  };
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      if ((response.statusCode ?? 500) >= 400) reject(new Error(text));
      else resolve(text === '' ? (undefined as T) : (JSON.parse(text) as T));
    });
    call.once('error', reject);
    call.end(raw ? body : body ? JSON.stringify(body) : undefined);
  });
}

const state = () => ask('GET', '/');
const enqueue = (source: string) => ask('POST', '/queue', { source });

/** mplayers that a process started, this one by default. */
async function mplayers(parent = process.pid): Promise<number[]> {
  const { stdout } = await run('ps', ['-o', 'pid=,comm=', '--ppid', String(parent)]).catch(() => ({ stdout: '' }));
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+mplayer/.exec(line)?.[1])
    .filter((pid) => pid !== undefined)
    .map(Number);
}

test('a file plays: the position advances, a pause holds it, seeking lands within 0.3 s', async () => {
  await copyFile(tone, join(data, 'media', 'tone.wav'));
  await start();
  await enqueue('tone.wav');
  expect(await ask('POST', '/play', {})).toMatchObject({ state: 'playing', durationS: 30, output: expect.stringContaining('null') });
  const later = await until('the position to advance', async () => {
    const now = await state();
    return (now.positionS ?? 0) > 1 ? now : undefined;
  });
  expect(later.state).toBe('playing');
  const held = await ask('POST', '/pause');
  expect(await state()).toMatchObject({ state: 'paused', positionS: held.positionS });
  await ask('POST', '/play', {});
  const sought = performance.now();
  await ask('POST', '/seek', { positionS: 20 });
  await until('the player itself to be there', async () => ((await state()).positionS ?? 0) > 20.8);
  const elapsedS = (performance.now() - sought) / 1000;
  expect(Math.abs(((await state()).positionS ?? 0) - 20 - elapsedS)).toBeLessThan(0.3);
});

test('kill -9 of mplayer: the same queue, track, volume and position sound again within two seconds', async () => {
  await copyFile(tone, join(data, 'media', 'tone.wav'));
  await start();
  await enqueue('tone.wav');
  await enqueue('tone.wav');
  await ask('POST', '/volume', { volume: 23 });
  await ask('POST', '/play', { index: 1 });
  await ask('POST', '/seek', { positionS: 12 });
  const before = await until('a position of the player', async () => {
    const now = await state();
    return (now.positionS ?? 0) > 13 ? now : undefined;
  });
  const [victim = 0] = await mplayers();
  const killed = performance.now();
  process.kill(victim, 'SIGKILL');
  await until('another mplayer that plays', async () => {
    const [other] = await mplayers();
    return other !== undefined && other !== victim && (await state()).state === 'playing';
  });
  const gapMs = performance.now() - killed;
  const after = await state();
  expect(gapMs).toBeLessThan(2000);
  expect(after).toMatchObject({ index: 1, volume: 23, queue: before.queue });
  expect(Math.abs((after.positionS ?? 0) - (before.positionS ?? 0))).toBeLessThan(2);
  console.info(`mplayer killed: playing again after ${Math.round(gapMs)} ms`);
});

test('hostile file names play from the disk, and nothing in them is executed', async () => {
  const names = [
    `it's "quoted".wav`,
    `both ' and " and \\ 1.wav`,
    'back\\slash\\ 1.wav',
    '$(touch x).wav',
    '`touch y`.wav',
    '; touch z &.wav',
    '# hash.wav',
    ' leading and  double.wav',
    '-ao pcm:file=evil.wav',
    '%22%0a percent.wav',
    'ünïcödé ☃ 日本 🎵.wav',
    'mf:x.wav',
    '?query&x=1.wav',
  ];
  for (const name of names) await writeFile(join(data, 'media', name), wavOfSilence(30));
  const before = await readdir(process.cwd());
  await start();
  for (const name of names) await enqueue(name);
  for (const [index, name] of names.entries()) {
    const playing = await ask('POST', '/play', { index });
    expect(playing).toMatchObject({ state: 'playing', index, fault: 'There is no sound device; tracks play without being heard.' });
    expect(playing.track?.source).toBe(name);
  }
  expect((await readdir(join(data, 'media'))).sort()).toEqual([...names, '.player'].sort());
  expect(await readdir(process.cwd())).toEqual(before);
  expect(await readdir(data)).not.toContain('x');
  expect(await mplayers()).toHaveLength(1);
});

test('killed itself, the service leaves no mplayer behind that plays on', async () => {
  await copyFile(tone, join(data, 'media', 'tone.wav'));
  await mkdir(join(data, 'media', '.player'));
  const queue = [{ id: '1', source: 'tone.wav', title: 'tone', durationS: 30 }];
  const playing = { queue, index: 0, volume: 50, muted: false, repeat: 'off', mode: 'playing', positionS: 3 };
  await writeFile(join(data, 'media', '.player', 'state.json'), JSON.stringify(playing));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { ...process.env, EDGE_DATA: data, EDGE_ID: EDGE, EDGE_MQTT_URL: broker.url },
    stdio: 'ignore',
  });
  const [player = 0] = await until('its mplayer', async () => {
    const pids = await mplayers(child.pid);
    return pids.length > 0 ? pids : undefined;
  });
  child.kill('SIGKILL');
  await until(
    'mplayer to end',
    async () => !(await readFile(`/proc/${player}/status`, 'utf8').catch(() => 'State:\tZ')).includes('State:\tS'),
  );
});

test('upload, playlist, restart: all is there again, paused as it was', async () => {
  await start();
  await ask('PUT', `/library/${encodeURIComponent('Jazz/Søn ☃.wav')}`, wavOfSilence(20));
  await enqueue('Jazz/Søn ☃.wav');
  await ask('PUT', '/playlists/Evening');
  await ask('POST', '/repeat', { repeat: 'all' });
  await ask('POST', '/volume', { volume: 33 });
  await ask('POST', '/play', {});
  await ask('POST', '/seek', { positionS: 7 });
  const before = await ask('POST', '/pause');
  await service?.stop();
  expect(await mplayers()).toEqual([]);
  await start();
  expect(await state()).toEqual(before);
  expect(await ask('GET', '/playlists')).toEqual([{ name: 'Evening', tracks: 1 }]);
  await ask('DELETE', '/queue');
  expect(await ask('POST', '/playlists/Evening/load')).toMatchObject({ queue: [{ source: 'Jazz/Søn ☃.wav' }], state: 'stopped' });
  await expect(ask('PUT', '/library/x.wav', Buffer.from('#!/bin/sh'), 'audio/wav')).rejects.toThrow('unsupported-media-type');
  await expect(ask('PUT', '/library/x.wav', wavOfSilence(1), 'text/html')).rejects.toThrow('unsupported-media-type');
  await ask('DELETE', `/library/${encodeURIComponent('Jazz/Søn ☃.wav')}`);
  expect(await ask('GET', '/library')).toEqual([]);
});

test('radio: its titles are read; broken off it is never called playing, and sounds within 5 s of coming back', async () => {
  const radio = new Radio();
  radio.title = Buffer.from('Bj\xf6rk - J\xf3ga', 'latin1');
  await radio.start();
  try {
    await start();
    await enqueue(radio.url);
    expect((await ask('POST', '/play', {})).state).toMatch(/connecting|playing/);
    await until('the station to sound', async () => {
      const now = await state();
      return now.state === 'playing' && now.streamTitle === 'Björk - Jóga' && now.track?.title === 'Radio One';
    });
    await radio.stop();
    const silent = await until('the silence to be said', async () => {
      const now = await state();
      return now.state === 'connecting' && now.fault !== null ? now : undefined;
    });
    expect(silent.fault).toMatch(/^Radio One is silent: /);
    await until('an attempt that was refused', async () => (await state()).fault?.includes('refuses'));
    await radio.start();
    const back = performance.now();
    await until('the station to sound again', async () => (await state()).state === 'playing');
    const gapMs = performance.now() - back;
    expect(gapMs).toBeLessThan(5000);
    expect(await state()).toMatchObject({ fault: 'There is no sound device; tracks play without being heard.' });
    console.info(`radio back: playing after ${Math.round(gapMs)} ms`);
  } finally {
    await radio.stop();
  }
});

test('radio: a stored station plays by its id, and is still there after a restart', async () => {
  const radio = new Radio();
  await radio.start();
  try {
    await start();
    expect(await ask('GET', '/radios')).toEqual([]);
    await ask('PUT', '/radios/own', { name: 'Own', url: radio.url });
    await expect(ask('PUT', '/radios/own', { name: 'Own', url: 'mf://x' })).rejects.toThrow('invalid-value');
    await expect(ask('PUT', '/radios/own', { name: 'a\nb', url: radio.url })).rejects.toThrow('name is');
    expect(await ask('POST', '/radios/own/play')).toMatchObject({ track: { source: radio.url, title: 'Own' } });
    await until('the station to sound', async () => (await state()).state === 'playing');
    await service?.stop();
    await start();
    expect(await ask('GET', '/radios')).toEqual([{ id: 'own', name: 'Own', url: radio.url }]);
    await ask('DELETE', '/radios/own');
    await expect(ask('POST', '/radios/own/play')).rejects.toThrow('not-found');
    expect(await ask('POST', '/actions/scan-library')).toEqual({ result: '0 sound files are in the library' });
  } finally {
    await radio.stop();
  }
});

test('radio: a stream that stalls with its connection open is noticed and connected anew', async () => {
  const radio = new Radio();
  await radio.start();
  try {
    await start();
    await enqueue(radio.url);
    await ask('POST', '/play', {});
    await until('the station to sound', async () => (await state()).state === 'playing');
    radio.stalled = true;
    const stalled = performance.now();
    await until('the silence to be said', async () => (await state()).state === 'connecting', 15_000);
    const noticedMs = performance.now() - stalled;
    await until('a new connection', () => radio.listeners > 1, 15_000);
    radio.stalled = false;
    await until('the station to sound again', async () => (await state()).state === 'playing', 15_000);
    console.info(`radio stalled: said after ${Math.round(noticedMs)} ms (what was buffered included)`);
  } finally {
    await radio.stop();
  }
});

test('without mplayer the service lives and says so, and plays when it is installed', async () => {
  await copyFile(tone, join(data, 'media', 'tone.wav'));
  const path = process.env.PATH;
  const folder = await mkdtemp(join(tmpdir(), 'ledge-no-mplayer-'));
  try {
    process.env.PATH = folder;
    await start();
    await enqueue('tone.wav');
    expect((await state()).fault).toBe('mplayer is not installed.');
    await expect(ask('POST', '/play', {})).rejects.toThrow('player-missing');
    expect(await ask('GET', '/health')).toMatchObject({ state: 'ready' });
    process.env.PATH = path;
    await until('mplayer to be found', async () => (await state()).fault !== 'mplayer is not installed.');
    expect((await ask('POST', '/play', {})).state).toBe('playing');
  } finally {
    process.env.PATH = path;
    await rm(folder, { recursive: true, force: true });
  }
});

test('on the bus it is a Homie thing that Home Assistant finds, and takes commands', async () => {
  await copyFile(tone, join(data, 'media', 'tone.wav'));
  const client: MqttClient = connect(broker.url);
  const heard = new Map<string, string>();
  const events: string[] = [];
  client.on('message', (topic, payload) => {
    heard.set(topic, payload.toString());
    if (topic.includes('/event/')) events.push(topic);
  });
  await client.subscribeAsync([`${EDGE}/#`, 'homeassistant/#']);
  try {
    await start();
    const property = (id: string) => `${EDGE}/5/media/player/${id}`;
    await until('the thing to be ready', () => heard.get(`${EDGE}/5/media/$state`) === 'ready');
    expect(JSON.parse(heard.get(`${EDGE}/5/media/$description`) ?? '')).toMatchObject({ homie: '5.0', nodes: { player: {} } });
    const config = `homeassistant/device/${EDGE}-media/config`;
    expect(JSON.parse(heard.get(config) ?? '')).toMatchObject({ components: { 'player-play': { platform: 'button' } } });
    await client.publishAsync(`${property('source')}/set`, 'tone.wav');
    await until('the track to play', () => heard.get(property('state')) === 'playing');
    expect(heard.get(property('title'))).toBe('tone');
    await until('the event', () => events.includes(`${EDGE}/event/track-started`));
    await client.publishAsync(`${property('volume')}/set`, '71');
    await until('the volume', () => heard.get(property('volume')) === '71');
    await client.publishAsync(`${property('volume')}/set`, '171');
    await until('the refusal', () => heard.get(`${EDGE}/5/media/$log/warn`)?.includes('100 or less is wanted'));
    await client.publishAsync(`${property('command')}/set`, 'pause');
    await until('the pause', () => heard.get(property('state')) === 'paused');
    heard.delete(config);
    await client.publishAsync('homeassistant/status', 'online');
    await until('the discovery document again', () => heard.has(config));
    await service?.stop();
    service = undefined;
    await until('the farewell', () => heard.get(`${EDGE}/5/media/$state`) === 'disconnected');
    expect(await readFile(join(data, 'media', '.player', 'state.json'), 'utf8')).toContain('"volume":71');
  } finally {
    await client.endAsync();
  }
});
