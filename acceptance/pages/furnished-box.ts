import { type ServiceRecord, topics } from '@ledge/contract';
import { wavOfSilence } from '@ledge/testing';
import { connectAsync } from 'mqtt';
import type { Appliance } from '../appliance.ts';
import { ADMIN_PASSWORD } from '../local-appliance.ts';

const PHONE = 'Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36';
const LAPTOP = 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0';
const DEVICE = { name: 'weather-station', password: 'rain on a tin roof' };
/** Of somebody's own, and gone. */
const LOST: ServiceRecord = {
  name: 'frost-watch',
  version: '1.0.0',
  summary: 'Tells when frost comes',
  state: 'lost',
  address: 'unix:/nowhere/frost-watch.sock',
  instance: 'one',
  startedAt: '2026-01-01T00:00:00Z',
  tiles: [{ title: 'Coldest', property: 'greenhouse/main/temperature' }],
};
const SONGS = ['March', 'Waltz', 'Evening song'];

async function handInBackup({ url, token }: Appliance): Promise<void> {
  const authorization = `Bearer ${token}`;
  const json = { authorization, 'content-type': 'application/json' };
  const made = await fetch(`${url}/api/server/backup`, { method: 'POST', headers: json, body: JSON.stringify({ history: false }) });
  const file = { authorization, 'content-type': 'application/vnd.ledge.backup' };
  const { status } = await fetch(`${url}/api/server/backup/check`, { method: 'POST', headers: file, body: await made.arrayBuffer() });
  if (status !== 200) throw new Error(`the backup was not taken: ${status}`);
}

/** Puts something of everything onto a box, so that no page of it is empty. Resolves to what takes the MQTT device off it again. */
export async function furnish(box: Appliance): Promise<() => Promise<void>> {
  const ask = async (method: string, path: string, body?: unknown) => {
    const { status, body: answer } = await box.api(method, path, body);
    if (status >= 400) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  };
  for (const song of SONGS) {
    const headers = { authorization: `Bearer ${box.token}`, 'content-type': 'audio/wav' };
    const file = encodeURIComponent(`${song}.wav`);
    await fetch(`${box.url}/api/media/library/${file}`, { method: 'PUT', headers, body: wavOfSilence(120, song) });
    await ask('POST', '/api/media/queue', { source: `${song}.wav` });
  }
  await ask('PUT', '/api/media/playlists/Sunday');
  await ask('PUT', '/api/media/radios/fip', { name: 'FIP', url: 'http://radio.example/fip.mp3' });
  await ask('POST', '/api/server/users', { name: 'Ana', role: 'viewer', password: 'a wheelbarrow of tea' });
  for (const agent of [PHONE, LAPTOP]) {
    const headers = { 'content-type': 'application/json', 'user-agent': agent };
    await fetch(`${box.url}/api/server/login`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ name: 'admin', password: ADMIN_PASSWORD }),
    });
  }
  await handInBackup(box);
  // after the backup, which is made of all services or not at all
  await ask('POST', '/api/sse/publish', { topic: topics.service(box.edge, LOST.name), value: LOST, retain: true });
  await box.addMqttUser(DEVICE.name, DEVICE.password, [{ filter: 'garden/#', access: 'both' }]);
  const device = await connectAsync(`mqtt://127.0.0.1:${box.mqttPort}`, {
    clientId: DEVICE.name,
    username: DEVICE.name,
    password: DEVICE.password,
  });
  await device.publishAsync('garden/pump/state', '{"on":true,"flow":4.2}', { retain: true, qos: 1 });
  await device.publishAsync('garden/camera/picture', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0x10]), { retain: true, qos: 1 });
  return () => device.endAsync();
}
