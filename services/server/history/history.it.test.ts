import { topics } from '@ledge/contract';
import { expect, test } from 'vitest';
import { eventually, startBox } from '../harness.ts';

test('the history of a property is a file that a spreadsheet opens, and is for those who may look', async () => {
  await using box = await startBox();
  const headers = { cookie: await box.signIn() };
  const say = (property: string, seq: number, value: unknown) => {
    const reading = { value, time: new Date(Date.now() - 60_000 + seq * 1000).toISOString(), seq, replayed: false };
    return box.say(topics.reading(box.edge, { thing: 'room', node: 'main', property }), JSON.stringify(reading));
  };
  const csv = (property: string, query = '') => box.ask(`/api/server/history/room/main/${property}/csv${query}`, { headers });
  await eventually(async () => {
    await say('temperature', 1, 21.5);
    return (await csv('temperature')).status === 200;
  });
  await say('temperature', 2, -3);
  await say('note', 1, '=HYPERLINK("http://evil.example")');
  await eventually(async () => (await csv('note')).status === 200 && (await csv('temperature')).text.split('\r\n').length === 4);
  const answer = await csv('temperature');
  expect(answer.headers).toMatchObject({
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': 'attachment; filename="room-main-temperature.csv"',
  });
  expect(answer.text).toMatch(/^time,value\r\n[\dT:.-]+Z,21.5\r\n[\dT:.-]+Z,-3\r\n$/);
  expect((await csv('note')).text).toContain(`,"'=HYPERLINK(""http://evil.example"")"\r\n`);
  expect((await csv('temperature', '?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z')).text).toBe('time,value\r\n');
  expect((await csv('ghost')).json.code).toBe('not-found');
  expect((await csv('temperature', '?from=2030-01-01T00:00:00Z')).json.code).toBe('invalid-value');
  expect((await box.ask('/api/server/history/room/main/temperature/csv')).status).toBe(401);
});
