import { topics } from '@ledge/contract';
import { expect, test } from 'vitest';
import { addThing, EDGE, furnish } from './fake-box.ts';
import { FakePages } from './tests/fake-page.ts';

const my = new FakePages();
const MINUTE_MS = 60_000;

const recorded = (minutes: number, value: (minute: number) => number) =>
  Array.from({ length: minutes }, (_, i) => {
    const mean = value(minutes - i);
    return { time: new Date(Date.now() - (minutes - i) * MINUTE_MS).toISOString(), mean, min: mean - 1, max: mean + 1, count: 3 };
  });

function addPlayer(values: Record<string, string> = {}): void {
  const text = { name: 'x', datatype: 'string' };
  const properties = {
    state: { name: 'State', datatype: 'enum', format: 'playing,paused,stopped,connecting' },
    title: text,
    artist: text,
    volume: { name: 'Volume', datatype: 'integer', format: '0:100', settable: true },
    muted: { name: 'Muted', datatype: 'boolean', settable: true },
    position: { name: 'Position', datatype: 'float', settable: true },
    duration: { name: 'Duration', datatype: 'float' },
    fault: text,
  };
  const description = { homie: '5.0', version: 1, name: 'Player', nodes: { player: { name: 'Player', properties } } };
  my.box.retain(topics.description(EDGE, 'media'), JSON.stringify(description));
  const playing = {
    state: 'playing',
    title: 'So What',
    artist: 'Miles Davis',
    volume: '40',
    muted: 'false',
    position: '61',
    duration: '545',
  };
  for (const [name, value] of Object.entries({ ...playing, ...values })) my.say('media', name, value, 'player');
  my.box.retain(topics.state(EDGE, 'media'), 'ready');
}

test('the last hour of a number is behind it, asked once it is in sight, and a value that never was a number has none', async () => {
  furnish(my.box);
  my.box.history.set(
    'greenhouse/main/temperature',
    recorded(50, (minute) => 20 + (minute % 5)),
  );
  await my.signIn();
  const tile = my.card('Greenhouse').locator('.tile').first();
  await expect.poll(() => tile.locator('.spark .line').getAttribute('d')).toMatch(/^M0\.0 .*L120\.0 /);
  expect(my.box.paths.some((path) => path.includes('/history/cellar/main/note'))).toBe(false);
});

test('a touch on a value shows its history, over the page and at an address of its own', async () => {
  furnish(my.box);
  my.box.history.set(
    'greenhouse/main/temperature',
    recorded(50, (minute) => 20 + (minute % 5)),
  );
  await my.signIn();
  await my.card('Greenhouse').locator('.tile').first().click();
  const dialog = my.page.getByRole('dialog', { name: 'Greenhouse · Temperature' });
  await dialog.getByText('25 °C').waitFor();
  expect(new URL(my.page.url()).pathname).toBe('/history/greenhouse/main/temperature');
  const chart = dialog.getByRole('img', { name: /from 19 °C to 25 °C, 22 °C on average/ });
  await chart.focus();
  await my.page.keyboard.press('ArrowLeft');
  await dialog
    .locator('.chart-readout')
    .getByText(/: 2\d\s°C \(/)
    .waitFor();
  await dialog.getByRole('button', { name: 'Week' }).click();
  await dialog.getByText('25 °C').waitFor();
  const saved = my.page.waitForEvent('download');
  await dialog.getByRole('link', { name: 'Save as CSV' }).click();
  expect((await saved).suggestedFilename()).toBe('greenhouse-temperature.csv');
  await my.look('history-360-light');
  await my.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(new URL(my.page.url()).pathname).toBe('/');
  expect(my.complaints).toEqual([]);
});

test('the history of a switch is a list of its changes, and an address of a value that is not there says so', async () => {
  furnish(my.box);
  my.box.history.set('greenhouse/main/window', [
    { time: new Date(Date.now() - 3 * MINUTE_MS).toISOString(), value: false },
    { time: new Date(Date.now() - 2 * MINUTE_MS).toISOString(), value: false },
    { time: new Date(Date.now() - MINUTE_MS).toISOString(), value: true },
  ]);
  await my.signIn('/history/greenhouse/main/window');
  const dialog = my.page.getByRole('dialog', { name: 'Greenhouse · Window' });
  await expect.poll(() => dialog.locator('tbody td:last-child').allTextContents()).toEqual(['open', 'closed']);
  await my.noBarriers();
  await my.page.goto(`${my.box.url}/history/greenhouse/main/nothing`);
  await my.page.getByText('There is no such value on this box.').waitFor();
});

test('the dashboard is arranged with keys and buttons, and is so again in another browser', async () => {
  furnish(my.box);
  await my.signIn();
  await my.card('Pump').waitFor();
  await my.page.getByRole('button', { name: 'Arrange' }).click();
  const rows = my.page.locator('.arrange-list > li');
  await expect
    .poll(() => rows.locator('.arrange-name > :first-child').allTextContents())
    .toEqual(['Cellar', 'Garden gate', 'Greenhouse', 'Pump', 'This box']);
  await my.look('arrange-360-light');
  await my.page.getByRole('button', { name: 'Move Pump up' }).click();
  await my.page.getByRole('button', { name: /^Move Cellar: drag/ }).focus();
  await my.page.keyboard.press('ArrowDown');
  await my.page.keyboard.press('ArrowDown');
  await my.page.getByRole('button', { name: 'Hide This box' }).click();
  await my.page.getByRole('button', { name: /^Pump \d/ }).click();
  await my.page.getByRole('button', { name: 'Hide Flow' }).click();
  await my.page.getByRole('button', { name: 'Done' }).click();
  await my.card('Pump').waitFor();
  const names = () => my.page.getByRole('article').getByRole('heading').allTextContents();
  await expect.poll(names).toEqual(['Garden gate', 'Pump', 'Cellar', 'Greenhouse']);
  expect(my.box.preferences.dashboard.hidden).toEqual(['box', 'pump/main/flow']);
  await my.open({ viewport: { width: 1440, height: 900 } });
  await my.signIn();
  await expect.poll(names).toEqual(['Garden gate', 'Pump', 'Cellar', 'Greenhouse']);
  expect(await my.card('Pump').getByText('Flow').count()).toBe(0);
});

test('the dashboard is arranged by dragging, and nothing is kept when it is cancelled', async () => {
  furnish(my.box);
  await my.signIn();
  await my.page.getByRole('button', { name: 'Arrange' }).click();
  const rows = my.page.locator('.arrange-list > li');
  const order = () => rows.evaluateAll((all) => all.map((row) => (row as HTMLElement).dataset.id));
  await expect.poll(order).toEqual(['cellar', 'gate', 'greenhouse', 'pump', 'box']);
  const handle = await rows.first().locator('.handle').boundingBox();
  const last = await rows.last().boundingBox();
  if (!handle || !last) throw new Error('rows are wanted');
  await my.page.mouse.move(handle.x + 10, handle.y + 10);
  await my.page.mouse.down();
  await my.page.mouse.move(handle.x + 10, last.y + last.height - 4, { steps: 8 });
  await expect.poll(order).toEqual(['gate', 'greenhouse', 'pump', 'box', 'cellar']);
  await my.page.mouse.up();
  await my.page.getByRole('button', { name: 'Cancel' }).click();
  await my.card('Pump').waitFor();
  expect(my.box.preferences.dashboard.order).toEqual([]);
});

test('things are grouped by room when somebody wants that, and it stays so', async () => {
  furnish(my.box);
  const rooms: Record<string, string> = { greenhouse: 'Garden', pump: 'Garden', cellar: 'House' };
  my.box.things = my.box.things.map((thing) => ({ ...thing, ...(rooms[thing.id] ? { room: rooms[thing.id] } : {}) }));
  await my.signIn();
  await my.page.getByRole('button', { name: 'Rooms' }).click();
  const titles = () => my.page.locator('.room-title').allTextContents();
  await expect.poll(titles).toEqual(['House', 'Garden', 'Elsewhere']);
  await my.noBarriers();
  await my.page.reload();
  await expect.poll(titles).toEqual(['House', 'Garden', 'Elsewhere']);
  expect(my.box.preferences.dashboard.groupBy).toBe('room');
});

test('the player is one tile: what plays, how far it is, and its buttons', async () => {
  addPlayer();
  my.box.media = { ...my.box.media, state: 'playing', positionS: 61, durationS: 545 };
  my.box.onMedia = (asked) => {
    if (asked.startsWith('pause')) my.say('media', 'state', 'paused', 'player');
  };
  await my.signIn();
  const player = my.card('Player');
  await player.getByText('So What').waitFor();
  await player.getByText('Miles Davis · Playing').waitFor();
  await player.getByText('9:05').waitFor();
  await expect.poll(() => player.getByRole('slider', { name: 'Position' }).inputValue()).toMatch(/^6[1-9]$/);
  await my.look('player-360-light');
  await player.getByRole('button', { name: 'Pause' }).click();
  await player.getByRole('button', { name: 'Play', exact: true }).waitFor();
  await player.getByRole('button', { name: 'Next' }).click();
  await player.getByRole('slider', { name: 'Volume' }).fill('70');
  await expect.poll(() => my.box.mediaAsked).toEqual(['pause {}', 'next {}', 'volume {"volume":70}']);
  await expect.poll(() => player.locator('.tile').count()).toBe(1);
  expect(my.complaints).toEqual([]);
});

/** A service of somebody's own, that says which tiles it wants. */
function addWeather(): void {
  my.box.answers.set('weather/now', { value: 17.25, unit: '°C' });
  const record = {
    name: 'weather',
    version: '1.0.0',
    summary: 'Weather',
    state: 'ready',
    address: '',
    instance: 'a',
    startedAt: '',
    tiles: [
      { title: 'Outside', path: '/now' },
      { title: 'Under glass', property: 'greenhouse/main/temperature' },
      { title: 'Broken', path: 'nothing' },
    ],
  };
  my.box.services = [...my.box.services, { ...record, state: 'ready', controllable: false }];
  my.box.retain(topics.service(EDGE, 'weather'), JSON.stringify(record));
}

test("a service's tiles show what it answers at its own path, and a value on the bus under the service's name for it", async () => {
  furnish(my.box);
  addWeather();
  await my.signIn();
  const block = my.card('Weather');
  await block.getByText('17.25').waitFor();
  await block.getByText('There is nothing at /api/weather/nothing').waitFor();
  my.say('greenhouse', 'temperature', '30.5');
  await block.getByText('30.5').waitFor();
  await my.noBarriers();
});

test("a service's block is ordered and hidden like those of things, and comes back where it was", async () => {
  furnish(my.box);
  addWeather();
  await my.signIn();
  await my.card('Weather').waitFor();
  const arrange = my.page.getByRole('button', { name: 'Arrange' });
  await arrange.click();
  await my.page.getByRole('button', { name: 'Move Weather up' }).click();
  await my.page.getByRole('button', { name: 'Hide Weather' }).click();
  await my.page.getByRole('button', { name: 'Done' }).click();
  await my.card('Pump').waitFor();
  expect(await my.card('Weather').count()).toBe(0);
  expect(my.box.preferences.dashboard.hidden).toEqual(['service:weather']);
  await arrange.click();
  await my.page.getByRole('button', { name: 'Show Weather' }).click();
  await my.page.getByRole('button', { name: 'Done' }).click();
  const names = () => my.page.getByRole('article').getByRole('heading').allTextContents();
  await expect.poll(names).toEqual(['Cellar', 'Garden gate', 'Greenhouse', 'Pump', 'Weather', 'This box']);
  expect(my.box.preferences.dashboard.hidden).toEqual([]);
});

test('on a box with nothing of its own an admin is told what could come next, until it is waved away', async () => {
  addThing(my.box, 'system', 'This box', { load: { name: 'Load', datatype: 'float' } }, { load: '0.5' });
  await my.signIn();
  await my.page.getByRole('link', { name: /Add a sensor/ }).waitFor();
  expect(await my.page.getByRole('link', { name: /Add music/ }).getAttribute('href')).toBe('/admin/media');
  await my.look('fresh-360-light');
  await my.page.getByRole('button', { name: 'Not now' }).click();
  expect(await my.page.getByRole('link', { name: /Add a sensor/ }).count()).toBe(0);
  await my.page.reload();
  await my.card('This box').waitFor();
  expect(await my.page.getByRole('link', { name: /Add a sensor/ }).count()).toBe(0);
});

test('in French everything is French, numbers too', async () => {
  const properties = {
    up: { name: 'En marche', datatype: 'integer', unit: 's' },
    cpu: { name: 'CPU', datatype: 'float', unit: '°C' },
  };
  addThing(my.box, 'box', 'Boîtier', properties, { up: '180000', cpu: '48.5' });
  my.box.preferences = { ...my.box.preferences, language: 'fr' };
  await my.open({ locale: 'fr-FR' });
  await my.page.goto(my.box.url);
  await my.page.getByRole('textbox', { name: 'Mot de passe' }).fill('correct horse battery');
  await my.page.keyboard.press('Enter');
  await my.card('Boîtier').getByText('2 j 2 h').waitFor();
  await my.card('Boîtier').getByText('48,5').waitFor();
  await my.page.getByText('1 objet, tout va bien').waitFor();
  await my.look('french-360-light');
});
