import { type LibraryItem, type MediaState, trackSchema } from '@ledge/contract';
import { findProgram, until, wavOfSilence } from '@ledge/testing';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { RealPages } from '../../tests/real-pages.ts';

const SECONDS = 30;
const pages = new RealPages();
const role: typeof pages.page.getByRole = (...wanted) => pages.page.getByRole(...wanted);
const notice = (text: string) => pages.page.locator('.notice').filter({ hasText: text });

/** Silence, as a file with a name. */
const song = (name: string) => ({ name: `${name}.wav`, mimeType: 'audio/wav', buffer: wavOfSilence(SECONDS) });

const state = async () => (await pages.box.api<MediaState>('GET', '/api/media/')).body;
const titles = async () => (await state()).queue.map(({ title }) => title);
const fill = async (...names: string[]) => {
  await pages.box.api('DELETE', '/api/media/queue');
  for (const name of names) await pages.box.api('POST', '/api/media/queue', { source: `${name}.wav` });
};

beforeAll(async () => {
  for (const name of ['one', 'two', 'three']) {
    const response = await fetch(`${pages.box.url}/api/media/library/${name}.wav`, {
      method: 'PUT',
      body: song(name).buffer,
      headers: { authorization: `Bearer ${pages.box.token}`, 'content-type': 'audio/wav' },
    });
    expect(response.status).toBe(200);
  }
});
beforeEach(() => fill());

test('files are uploaded with their progress; what is no sound is refused with the reason', async () => {
  await pages.open('/admin/media/library');
  const bad = { name: 'bad.mp3', mimeType: 'audio/mpeg', buffer: Buffer.from('words') };
  await pages.page.locator('input[type=file]').setInputFiles([song('four'), bad, song('five')]);
  await role('region', { name: 'Uploads' }).getByRole('alert').getByText('holds no sound').waitFor();
  await role('button', { name: 'Play now: five' }).waitFor();
  await pages.look();
  await role('button', { name: 'Dismiss bad.mp3' }).click();
  await role('region', { name: 'Uploads' }).waitFor({ state: 'detached' });
  await role('searchbox').fill('fo');
  await expect.poll(() => role('button', { name: /^Play now/ }).count()).toBe(1);
  await role('button', { name: 'Delete four' }).click();
  await role('dialog').getByRole('button', { name: 'Delete' }).click();
  await pages.page.getByText('Nothing is called so.').waitFor();
  const { body } = await pages.box.api<LibraryItem[]>('GET', '/api/media/library');
  expect(body.map(({ path }) => path)).not.toContain('four.wav');
});

test('the queue is put in order by keys, by buttons and by hand', async () => {
  await fill('one', 'two', 'three');
  await pages.open('/admin/media');
  const rows = role('region', { name: 'Queue' }).getByRole('listitem');
  await rows.nth(2).waitFor();
  await pages.look();
  await role('button', { name: /^three, place 3/ }).press('ArrowUp');
  await until('three to be second', async () => (await titles()).join() === 'one,three,two');
  await role('button', { name: 'Move two up' }).click();
  await until('two to be second', async () => (await titles()).join() === 'one,two,three');
  const handle = await role('button', { name: /^one, place 1/ }).boundingBox();
  const last = await rows.nth(2).boundingBox();
  if (!handle || !last) throw new Error('the queue is not shown');
  const { mouse } = pages.page;
  await mouse.move(handle.x + handle.width / 2, handle.y + handle.height / 2);
  await mouse.down();
  await mouse.move(handle.x + handle.width / 2, last.y + last.height, { steps: 5 });
  await mouse.up();
  await until('one to be last', async () => (await titles()).join() === 'two,three,one');
});

test('a track is taken out and brought back to its place; all are cleared after a question', async () => {
  await fill('one', 'two');
  await pages.open('/admin/media');
  await role('button', { name: 'Take one out of the queue' }).click();
  await until('one to be out', async () => (await titles()).join() === 'two');
  await notice('one is out of the queue').getByRole('button', { name: 'Undo' }).click();
  await until('one to be back', async () => (await titles()).join() === 'one,two');
  await role('button', { name: 'Clear' }).click();
  await role('dialog').getByRole('button', { name: 'Clear' }).click();
  await pages.page.getByText('The queue is empty').waitFor();
  await pages.look();
});

test('the queue is saved as a playlist, and comes back from it', async () => {
  await fill('one', 'two');
  await pages.open('/admin/media');
  await role('button', { name: 'Save as playlist' }).click();
  await role('textbox', { name: 'Name' }).fill('Été / bad');
  await role('button', { name: 'Save', exact: true }).click();
  await pages.page.locator('[data-invalid]').waitFor();
  await role('textbox', { name: 'Name' }).fill('Été');
  await role('button', { name: 'Save', exact: true }).click();
  await notice('The playlist Été is saved').waitFor();
  await role('link', { name: 'Playlists' }).click();
  await role('listitem').filter({ hasText: 'Été' }).getByText('2 tracks').waitFor();
  await pages.look();
  await role('button', { name: 'Delete Été' }).click();
  await role('dialog').getByRole('button', { name: 'Delete' }).click();
  await pages.page.getByText('No playlists yet').waitFor();
});

test('a station is added, changed, deleted and brought back', async () => {
  await pages.open('/admin/media/radio');
  await role('button', { name: 'Add a station' }).click();
  await role('textbox', { name: 'Name' }).fill('FIP');
  await role('textbox', { name: 'Address' }).fill('not an address');
  await role('button', { name: 'Save' }).click();
  await pages.page.locator('[data-invalid]').waitFor();
  await pages.look();
  await role('textbox', { name: 'Address' }).fill('http://radio.example/fip.mp3');
  await role('button', { name: 'Save' }).click();
  await role('button', { name: 'Delete FIP' }).click();
  await pages.page.getByText('No stations yet').waitFor();
  await notice('FIP is deleted').getByRole('button', { name: 'Undo' }).click();
  await role('button', { name: 'Change FIP' }).waitFor();
  await pages.look();
});

test('volume, mute and repeat are set, also when somebody else sets them', async () => {
  await fill('one');
  await pages.open('/admin/media');
  await role('slider', { name: 'Volume' }).fill('30');
  await until('the volume to be 30', async () => (await state()).volume === 30);
  await role('button', { name: 'Mute' }).click();
  await until('silence', async () => (await state()).muted);
  await role('button', { name: /^Repeat is off/ }).click();
  await role('button', { name: /^Repeats the queue/ }).waitFor();
  await pages.box.api('POST', '/api/media/volume', { volume: 70 });
  await pages.page.locator('.volume-text').getByText('70').waitFor();
});

test.skipIf(!findProgram('mplayer'))('a file of the library plays at once, is held, and is sought in', async () => {
  await pages.open('/admin/media/library');
  await role('button', { name: 'Play now: two' }).click();
  const player = role('region', { name: 'Player' });
  await player.getByText('Playing', { exact: true }).waitFor();
  expect(trackSchema.parse((await state()).track).title).toBe('two');
  await player.locator('.seek-times').getByText('0:02').waitFor();
  await pages.look();
  await role('slider', { name: 'Position' }).fill('20');
  await until('it to be there', async () => ((await state()).positionS ?? 0) >= 20);
  await player.getByRole('button', { name: 'Pause' }).click();
  await player.getByText('Paused').waitFor();
  await player.getByRole('button', { name: 'Stop' }).click();
  await player.getByText('Stopped').waitFor();
});
