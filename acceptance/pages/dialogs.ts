import type { Locator, Page } from 'playwright-core';

type Role = Parameters<Page['getByRole']>[0];
type Name = string | RegExp;

/** One dialog or question of the pages, and how one gets to it on a box that is furnished (`furnished-box.ts`). */
export interface DialogEntry {
  /** Of the test and of the picture. */
  name: string;
  /** File below `webui/`, and the title as the source says it; `dialogs.test.ts` holds that none is forgotten. */
  place: string;
  path: string;
  /** Beside the list where there is room; a dialog only on small screens. */
  narrowOnly?: boolean;
  /** Nothing closes it but the box itself. */
  stays?: boolean;
  /** What must hold before the page is loaded. */
  prepare?: (page: Page) => Promise<void>;
  /** Opens it, and says what has the keyboard again when it is closed. */
  open: (page: Page) => Promise<Locator>;
}

/** So wide is a small screen. */
export const NARROW_PX = 360;

const pressing =
  (name: Name, role: Role = 'button') =>
  async (page: Page): Promise<Locator> => {
    const opener = page.getByRole(role, { name }).first();
    await opener.click();
    return opener;
  };

/** The machine of a PC can do nothing of this; the answers are those of the box, with a card's abilities laid over them. */
async function asCard(page: Page): Promise<void> {
  await page.route('**/api/server/machine', async (route) => {
    const view = (await (await route.fetch()).json()) as object;
    await route.fulfill({ json: { ...view, can: ['reboot', 'power-off', 'factory-reset'] } });
  });
}

async function asCardThatGoes(page: Page): Promise<void> {
  await asCard(page);
  await page.route('**/api/server/machine/reboot', async (route) => {
    await page.route('**/api/server/health', (asked) => asked.abort());
    await route.fulfill({ json: { act: 'reboot' } });
  });
}

const inPower = (page: Page) => page.getByRole('region', { name: 'Restart and power' });

/** Chooses one topic in the tree, with nothing else in it. */
async function chooseTopic(page: Page, filter: string, row: RegExp): Promise<Locator> {
  await page.getByRole('combobox', { name: 'Topic filter' }).fill(filter);
  await page.getByRole('button', { name: 'Listen' }).click();
  await page.getByRole('treeitem', { name: row }).click();
  return page.getByRole('tree');
}

const on = (path: string, entries: readonly Omit<DialogEntry, 'path'>[]): DialogEntry[] => entries.map((entry) => ({ ...entry, path }));

export const DIALOGS: readonly DialogEntry[] = [
  ...on('/', [
    { name: 'history-number', place: 'dashboard/history.ts: title', open: pressing(/^Temperature$/, 'link') },
    { name: 'history-words', place: 'dashboard/history.ts: title', open: pressing(/^Window$/, 'link') },
    {
      name: 'screen',
      place: "dashboard/screen-dialog.ts: words('dashboard').arrange.screen",
      open: async (page) => {
        await page.getByRole('button', { name: 'Arrange' }).click();
        const opener = await pressing("On the box's screen")(page);
        const dialog = page.getByRole('dialog');
        for (const tile of [/^Greenhouse · Temperature/, /^Greenhouse · Humidity/])
          await dialog.getByRole('checkbox', { name: tile }).check();
        await dialog.getByRole('button', { name: 'Chosen, in order' }).click();
        return opener;
      },
    },
  ]),
  ...on('/admin/services/media', [
    { name: 'service-restart', place: 'admin/services/service.ts: t.ask.restart(name)', open: pressing('Restart') },
    { name: 'service-stop', place: 'admin/services/service.ts: t.ask.stop(name)', open: pressing('Stop') },
  ]),
  ...on('/admin/services/frost-watch', [
    { name: 'service-forget', place: 'admin/services/service.ts: t.ask.forget(name)', open: pressing('Forget') },
  ]),
  ...on('/admin/services/broker', [
    { name: 'action-input', place: 'admin/services/actions.ts: action.title', open: pressing('Run: Forget retained messages') },
  ]),
  ...on('/admin/services/sse', [
    { name: 'action-question', place: 'admin/services/actions.ts: action.title', open: pressing('Run: Disconnect all readers') },
  ]),
  ...on('/admin/things/new', [
    {
      name: 'thing-replace',
      place: 'admin/things/new-thing.ts: t.replaceTitle',
      open: async (page) => {
        await page.getByRole('radio', { name: /Simulation/ }).click();
        await page.getByRole('textbox', { name: 'File' }).fill('# written by hand');
        return pressing(/MQTT device/, 'radio')(page);
      },
    },
  ]),
  ...on('/admin/things/greenhouse', [
    { name: 'thing-delete', place: 'admin/things/edit-thing.ts: t.removeTitle(name)', open: pressing('Delete') },
    {
      name: 'thing-leave',
      place: 'admin/things/draft.ts: t.title',
      open: async (page) => {
        await page.getByRole('textbox', { name: 'File' }).fill('# begun');
        return pressing('MQTT', 'link')(page);
      },
    },
  ]),
  ...on('/admin/mqtt/users', [
    {
      name: 'mqtt-user-new',
      place: 'admin/mqtt/user-dialog.ts: user ? t.changeTitle(user.name) : t.addTitle',
      open: pressing('Add a user'),
    },
    {
      name: 'mqtt-user-change',
      place: 'admin/mqtt/user-dialog.ts: user ? t.changeTitle(user.name) : t.addTitle',
      open: pressing('Change weather-station'),
    },
    { name: 'mqtt-user-delete', place: 'admin/mqtt/users.ts: t.removeTitle(name)', open: pressing('Delete weather-station') },
  ]),
  ...on('/admin/mqtt/clients', [
    { name: 'mqtt-client-disconnect', place: 'admin/mqtt/clients.ts: t.disconnectTitle(id)', open: pressing('Disconnect weather-station') },
  ]),
  ...on('/admin/mqtt/topics', [
    {
      name: 'mqtt-topic',
      place: 'admin/mqtt/topics.ts: t.one',
      narrowOnly: true,
      open: (page) => chooseTopic(page, 'garden/pump/#', /^state/),
    },
    {
      name: 'mqtt-topic-forget',
      place: 'admin/mqtt/topic-detail.ts: t.forgetTitle',
      open: async (page) => {
        await chooseTopic(page, 'garden/camera/#', /^picture/);
        return pressing('Delete retained value')(page);
      },
    },
  ]),
  ...on('/admin/media', [
    { name: 'queue-clear', place: 'admin/media/queue.ts: t.clearTitle', open: pressing('Clear') },
    { name: 'playlist-save', place: 'admin/media/playlists.ts: t.saveTitle', open: pressing('Save as playlist') },
  ]),
  ...on('/admin/media/playlists', [
    { name: 'playlist-load', place: 'admin/media/playlists.ts: t.loadTitle(name)', open: pressing('Play Sunday') },
    { name: 'playlist-delete', place: 'admin/media/playlists.ts: t.removeTitle(name)', open: pressing('Delete Sunday') },
  ]),
  ...on('/admin/media/library', [
    {
      name: 'library-replace',
      place: 'admin/media/library.ts: t.replaceTitle',
      open: async (page) => {
        const opener = page.getByRole('button', { name: 'Upload' });
        await opener.focus();
        await opener.setInputFiles({ name: 'March.wav', mimeType: 'audio/wav', buffer: Buffer.from('RIFF') });
        return opener;
      },
    },
    { name: 'library-delete', place: 'admin/media/library.ts: t.eraseTitle(title)', open: pressing('Delete March') },
  ]),
  ...on('/admin/media/radio', [
    { name: 'radio-new', place: 'admin/media/radios.ts: radio ? t.changeTitle : t.add', open: pressing('Add a station') },
    { name: 'radio-change', place: 'admin/media/radios.ts: radio ? t.changeTitle : t.add', open: pressing('Change FIP') },
  ]),
  ...on('/admin/people', [
    { name: 'person-new', place: 'admin/people/users.ts: user ? t.editTitle(user.name) : t.add', open: pressing('Add a person') },
    { name: 'person-change', place: 'admin/people/users.ts: user ? t.editTitle(user.name) : t.add', open: pressing('Change Ana') },
    { name: 'person-delete', place: 'admin/people/users.ts: t.people.askRemove(name)', open: pressing('Delete Ana') },
    { name: 'own-password', place: 'admin/people/own-password.ts: t.password.title', open: pressing('Change password') },
    { name: 'token-new', place: 'admin/people/tokens.ts: t.make', open: pressing('Make a token') },
    {
      name: 'token-made',
      place: 'admin/people/tokens.ts: t.made(name)',
      open: async (page) => {
        const opener = await pressing('Make a token')(page);
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('textbox', { name: 'Name' }).fill('Weather script');
        await dialog.getByRole('button', { name: 'Make a token' }).click();
        await dialog.getByRole('textbox', { name: 'To try it' }).waitFor();
        return opener;
      },
    },
    { name: 'token-revoke', place: 'admin/people/tokens.ts: t.askRevoke(name)', open: pressing('Revoke acceptance') },
    {
      name: 'session-end-own',
      place: 'admin/people/sessions.ts: t.askCurrent',
      open: async (page) => {
        const opener = page.getByRole('listitem').filter({ hasText: 'this one' }).getByRole('button');
        await opener.click();
        return opener;
      },
    },
    { name: 'sessions-end-others', place: 'admin/people/sessions.ts: t.askOthers', open: pressing('Sign out all others') },
  ]),
  ...on('/admin/system', [
    { name: 'box-identity', place: 'admin/system/box-facts.ts: t.title', open: pressing('Change') },
    {
      name: 'box-restart',
      place: 'admin/system/power.ts: title',
      prepare: asCard,
      open: async (page) => {
        const opener = inPower(page).getByRole('button', { name: 'Restart' });
        await opener.click();
        return opener;
      },
    },
    { name: 'box-factory-reset', place: 'admin/system/power.ts: t.ask', prepare: asCard, open: pressing('Reset…') },
    {
      name: 'box-away',
      place: 'admin/away.ts: away-title',
      stays: true,
      prepare: asCardThatGoes,
      open: async (page) => {
        const opener = inPower(page).getByRole('button', { name: 'Restart' });
        await opener.click();
        await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click();
        await page.getByRole('heading', { name: 'The box restarts…' }).waitFor();
        return opener;
      },
    },
  ]),
  ...on('/admin/backup', [{ name: 'backup-restore', place: 'admin/backup/restore.ts: t.ask', open: pressing('Restore…') }]),
];

/** The dialog that lies on top. */
export const topDialog = (page: Page): Locator => page.locator('dialog[open]').last();

/** Shows a dialog, with all that is in it. Resolves to what has the keyboard again when it is closed. */
export async function openDialog(page: Page, url: string, { path, prepare, open }: DialogEntry): Promise<Locator> {
  await prepare?.(page);
  await page.goto(url + path);
  await page.getByRole('heading', { level: 1 }).waitFor();
  const opener = await open(page);
  await topDialog(page).waitFor();
  await topDialog(page).locator('.ghost').first().waitFor({ state: 'detached' });
  return opener;
}
