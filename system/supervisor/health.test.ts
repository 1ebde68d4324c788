import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faultOf, Misses } from './health.ts';

/** What is said of a service that answers so at its socket; undefined: it takes the question and is silent. */
async function askOne(name: string, answer: string | undefined): Promise<string | undefined> {
  const run = mkdtempSync(join(tmpdir(), 'ledge-health-'));
  const server = createServer((_request, response) => {
    if (answer !== undefined) response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(join(run, `${name}.sock`), resolve));
  try {
    return await faultOf(name, { EDGE_DATA: run, EDGE_RUN: run }, 200);
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(run, { recursive: true });
  }
}

test.each([
  ['{"state":"ready"}', undefined],
  ['{"state":"starting"}', 'device is starting'],
  ['{"state":"degraded","detail":"its disk is full"}', 'device is degraded'],
  ['not json', expect.stringMatching(/^device does not answer: /)],
  [undefined, 'device does not answer: it did not answer /health within 200 ms'],
])('a service that says %s: %s', async (answer, fault) => {
  expect(await askOne('device', answer)).toEqual(fault);
});

test('the server is well although another service is not', async () => {
  expect(await askOne('server', '{"state":"degraded","services":{"server":"ready","media":"lost"}}')).toBeUndefined();
});

test('a service that is not there is told', async () => {
  expect(await faultOf('device', { EDGE_DATA: '/nowhere', EDGE_RUN: '/nowhere' })).toMatch(/^device does not answer: /);
});

test('three misses in a row are one too many, but not of a service that has never been well', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledge-misses-'));
  const missed = (times: number) => Array.from({ length: times }, () => new Misses(join(folder, 'misses')).isOneTooMany());
  expect(missed(5)).not.toContain(true);
  new Misses(join(folder, 'misses')).forget();
  expect(missed(2)).toEqual([false, false]);
  new Misses(join(folder, 'misses')).forget();
  expect(missed(3)).toEqual([false, false, true]);
  rmSync(folder, { recursive: true });
});
