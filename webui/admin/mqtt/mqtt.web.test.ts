import { connectAsync } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { RealPages } from '../../tests/real-pages.ts';

const PASSWORD = 'a long enough one';
const pages = new RealPages();
const role: typeof pages.page.getByRole = (...wanted) => pages.page.getByRole(...wanted);
const notice = (text: string) => pages.page.locator('.notice').filter({ hasText: text });
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function connect(clientId: string) {
  await pages.box.addMqttUser('tester', PASSWORD, [{ filter: '#', access: 'both' }]);
  const client = await connectAsync(`mqtt://127.0.0.1:${pages.box.mqttPort}`, {
    clientId,
    username: 'tester',
    password: PASSWORD,
    reconnectPeriod: 0,
  });
  ends.push(() => client.endAsync(true));
  return client;
}

test('an MQTT user is added with rules, changed and deleted', async () => {
  await pages.open('/admin/mqtt/users');
  await role('button', { name: 'Add a user' }).click();
  await role('textbox', { name: 'Name' }).fill('bridge');
  await role('button', { name: 'Save' }).click();
  await pages.page.getByText('A password is wanted.').waitFor();
  await pages.page.getByText('Each rule wants a topic filter').waitFor();
  await pages.look();
  await role('button', { name: 'Make one' }).click();
  expect(await role('textbox', { name: 'Password' }).inputValue()).toMatch(/^[A-Za-z2-9]{20}$/);
  await role('textbox', { name: 'Rule 1: topic filter' }).fill('zigbee/#');
  await role('button', { name: 'Save' }).click();
  const row = role('listitem').filter({ hasText: 'bridge' });
  await row.getByText('Read and write').waitFor();
  await row.getByRole('button', { name: 'Change bridge' }).click();
  await role('button', { name: 'Add a rule' }).click();
  await role('combobox', { name: 'Rule 2: access' }).selectOption('deny');
  await role('textbox', { name: 'Rule 2: topic filter' }).fill('zigbee/secret/#');
  await role('button', { name: 'Save' }).click();
  await row.getByText('zigbee/secret/#').waitFor();
  await pages.look();
  await row.getByRole('button', { name: 'Delete bridge' }).click();
  await role('dialog').getByRole('button', { name: 'Delete' }).click();
  await row.waitFor({ state: 'detached' });
});

test('a client is seen, sent away, and told of with the reason', async () => {
  await connect('my-sensor');
  await pages.open('/admin/mqtt/clients');
  await role('region', { name: /Connected/ })
    .getByText('my-sensor')
    .waitFor();
  await pages.look();
  await role('button', { name: 'Disconnect my-sensor' }).click();
  await role('dialog').getByRole('button', { name: 'Disconnect' }).click();
  const row = role('region', { name: /Left/ }).getByRole('listitem').filter({ hasText: 'my-sensor' });
  await row.getByText('was disconnected by admin').waitFor();
});

test('topics are a tree that grows as things are said; hostile ones are text', async () => {
  const client = await connect('speaker');
  await client.publishAsync('garden/pump/state', '{"on":true}', { retain: true, qos: 1 });
  await pages.open('/admin/mqtt/topics');
  await role('treeitem', { name: /^garden/ }).click();
  await pages.page.keyboard.press('ArrowDown');
  await pages.page.keyboard.press('ArrowRight');
  await role('treeitem', { name: /^state/ }).click();
  await role('region', { name: 'Topic', exact: true }).getByText('"on": true').waitFor();
  await client.publishAsync('garden/<img src=x onerror=alert(1)>', '<script>alert(1)</script>', { qos: 1 });
  await role('treeitem', { name: /<img src=x onerror=alert\(1\)> <script>alert/ }).waitFor();
  await pages.look();
});

test('a retained value is deleted and brought back', async () => {
  const client = await connect('keeper');
  await client.publishAsync('kept/value', 'precious', { retain: true, qos: 1 });
  await pages.open('/admin/mqtt/topics');
  await role('textbox', { name: 'Topic filter' })
    .or(role('combobox', { name: 'Topic filter' }))
    .fill('kept/#');
  await role('button', { name: 'Listen' }).click();
  await role('treeitem', { name: /^value.*precious/ }).click();
  await role('button', { name: 'Delete retained value' }).click();
  await role('treeitem', { name: /^value/ }).waitFor({ state: 'detached' });
  await notice('is deleted').getByRole('button', { name: 'Undo' }).click();
  await role('treeitem', { name: /^value.*precious/ }).waitFor();
});

test('a message is published, and heard by who listens', async () => {
  const client = await connect('listener');
  await client.subscribeAsync('garden/pump/set');
  const heard = new Promise<string>((resolve) => client.once('message', (_topic, payload) => resolve(payload.toString())));
  await pages.open('/admin/mqtt/topics');
  const form = role('region', { name: 'Publish' });
  await form.getByRole('textbox', { name: 'Topic' }).fill('garden/+/set');
  await form.getByRole('button', { name: 'Publish' }).click();
  await form.getByText('A topic such as garden/pump is wanted').waitFor();
  await form.getByRole('textbox', { name: 'Topic' }).fill('garden/pump/set');
  await form.getByRole('textbox', { name: 'Payload' }).fill('on');
  await form.getByRole('button', { name: 'Publish' }).click();
  expect(await heard).toBe('on');
});

test('thousands of topics stay few rows, and what is too much is told', async () => {
  const client = await connect('flood');
  await pages.open('/admin/mqtt/topics');
  await role('textbox', { name: 'Topic filter' })
    .or(role('combobox', { name: 'Topic filter' }))
    .fill('flood/#');
  await role('button', { name: 'Listen' }).click();
  await pages.page.getByText('Nothing has been said yet.').waitFor();
  await client.publishAsync('flood/first', '0', { qos: 1 });
  await role('treeitem', { name: /^first/ }).waitFor();
  for (let n = 0; n < 5200; n += 1) client.publish(`flood/${n}`, String(n), { qos: 1 });
  await pages.page.getByText('Only the first 5,000 topics are kept').waitFor();
  await expect.poll(() => role('treeitem').count()).toBeLessThan(60);
});

test('the important counters are large, with rates of two answers', async () => {
  await pages.open('/admin/mqtt/counters');
  const figure = pages.page.locator('.figure').filter({ hasText: 'Messages in' });
  await figure.getByText(/^[\d.,]+\/s$/).waitFor();
  await role('searchbox', { name: 'Search counters' }).fill('heap');
  await expect.poll(() => role('row').count()).toBe(3);
  await pages.look();
});
