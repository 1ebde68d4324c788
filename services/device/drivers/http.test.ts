import { driverContract } from '@ledge/sdk/testing.ts';
import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { http } from './http.ts';
import { environment, never, open, readOne } from './test-tools.ts';

const ADDRESS = 'http://inverter.test/api/status';

/** A server as a function; every request is remembered. */
function server(answer: (request: { url: string; init: RequestInit }) => Response | Promise<Response>) {
  const requests: { url: string; method: string | undefined; headers: Headers; body: unknown }[] = [];
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const url = String(input);
    requests.push({ url, method: init.method, headers: new Headers(init.headers), body: init.body });
    init.signal?.throwIfAborted();
    return answer({ url, init });
  };
  return { fetch, requests };
}
const status = () => Response.json({ ac: { power: 812.5 }, limit: 80, on: 'yes' });
const properties = {
  power: { datatype: 'float' as const, source: { value: 'ac.power' } },
  limit: { datatype: 'integer' as const, settable: true, source: { value: 'limit', write: { body: { limit: '{value}' } } } },
};

driverContract('http with an inverter', () => {
  let broken = '';
  const { fetch } = server(() => (broken === '' ? status() : Response.json({ ac: {}, limit: 80 })));
  return {
    driver: http,
    environment: environment({ fetch }),
    options: { url: ADDRESS },
    properties: Object.entries(properties).map(([key, config]) => ({ key, config })),
    settable: { key: 'limit', value: 70 },
    breakProperty: (key: string) => {
      broken = key;
    },
  };
});

test('properties of one address share one request', async () => {
  const { fetch, requests } = server(status);
  const env = environment({ fetch });
  const thing = await open(http, { options: { url: ADDRESS, headers: { authorization: 'Bearer x' } }, properties }, env);
  const values = await thing.read(['power', 'limit'], never());
  expect([...values]).toEqual([
    ['power', 812.5],
    ['limit', 80],
  ]);
  expect(requests).toHaveLength(1);
  expect(env.clock.pendingTimers).toBe(0);
  expect(requests[0]?.headers.get('authorization')).toBe('Bearer x');
});

test('a command sends its body as JSON, and a refusal is told', async () => {
  let answer = 204;
  const { fetch, requests } = server(() => new Response(null, { status: answer }));
  const thing = await open(http, { options: { url: ADDRESS }, properties }, environment({ fetch }));
  expect(await thing.write('limit', 55, never())).toBe(55);
  expect(requests[0]).toMatchObject({ url: ADDRESS, method: 'PUT', body: '{"limit":55}' });
  expect(requests[0]?.headers.get('content-type')).toBe('application/json');
  answer = 403;
  await expect(thing.write('limit', 55, never())).rejects.toMatchObject({
    code: 'command-rejected',
    message: expect.stringContaining(`${ADDRESS} answered 403`),
  });
});

test('what goes wrong is told with the address, and without its query', async () => {
  let answer: () => Response = status;
  const { fetch } = server(() => answer());
  const thing = await open(http, { options: { url: `${ADDRESS}?key=secret` }, properties }, environment({ fetch }));
  const shown = 'http://inverter.test/api/status?…';
  answer = () => new Response('gone', { status: 404, statusText: 'Not Found' });
  expect(await readOne(thing, 'power')).toBe(`fault: ${shown} answered 404 Not Found`);
  answer = () => new Response('<html>');
  expect(await readOne(thing, 'power')).toBe(`fault: ${shown} said "<html>"; JSON is wanted, because the property has the path ac.power`);
  answer = () => Response.json({ ac: {} });
  expect(await readOne(thing, 'power')).toBe(`fault: ${shown} has nothing at ac.power`);
  answer = () => {
    throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) });
  };
  expect(await readOne(thing, 'power')).toBe(`fault: ${shown} refuses the connection`);
  answer = () => {
    throw new TypeError('fetch failed', { cause: new Error('bad port') });
  };
  expect(await readOne(thing, 'power')).toBe(`fault: ${shown} cannot be asked (bad port)`);
});

test('plain text is a value when there is no path', async () => {
  const { fetch } = server(() => new Response(' 21.5\n'));
  const thing = await open(http, { properties: { t: { datatype: 'float', source: { url: ADDRESS } } } }, environment({ fetch }));
  expect(await readOne(thing, 't')).toBe(21.5);
});

test('an answer that does not come ends after the time-out', async () => {
  const clock = fakeClock();
  const { fetch } = server(
    ({ init }) => new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(init.signal?.reason))),
  );
  const thing = await open(http, { options: { url: ADDRESS, timeout: '2s' }, properties }, environment({ fetch, clock }));
  const read = readOne(thing, 'power');
  await clock.advance(2000);
  expect(await read).toBe(`fault: ${ADDRESS} did not answer within 2 s`);
  expect(clock.pendingTimers).toBe(0);
});

test('redirects are followed a few times, and secrets do not follow to another server', async () => {
  const { fetch, requests } = server(({ url }) => {
    if (url === ADDRESS) return new Response(null, { status: 302, headers: { location: '/moved' } });
    if (url.endsWith('/moved')) return new Response(null, { status: 307, headers: { location: 'https://other.test/x' } });
    return status();
  });
  const thing = await open(http, { options: { url: ADDRESS, headers: { authorization: 'x' } }, properties }, environment({ fetch }));
  expect(await readOne(thing, 'power')).toBe(812.5);
  expect(requests.map(({ url, headers }) => [url, headers.get('authorization')])).toEqual([
    [ADDRESS, 'x'],
    ['http://inverter.test/moved', 'x'],
    ['https://other.test/x', null],
  ]);
});

test('a ring of redirects, and one to a file, are refused', async () => {
  let location = ADDRESS;
  const { fetch, requests } = server(() => new Response(null, { status: 302, headers: { location } }));
  const thing = await open(http, { options: { url: ADDRESS }, properties }, environment({ fetch }));
  expect(await readOne(thing, 'power')).toBe(`fault: ${ADDRESS} redirects more than 3 times`);
  expect(requests).toHaveLength(4);
  location = 'file:///etc/passwd';
  expect(await readOne(thing, 'power')).toMatch(/redirects to file:\/\/\/etc\/passwd; an http address is wanted/);
});

test('an endless answer is cut off', async () => {
  let cancelled = false;
  let sent = 0;
  const endless = () =>
    new ReadableStream({
      pull: (controller) => {
        sent += 300_000;
        controller.enqueue(new Uint8Array(300_000));
      },
      cancel: () => {
        cancelled = true;
      },
    });
  const { fetch } = server(() => new Response(endless()));
  const thing = await open(http, { options: { url: ADDRESS }, properties }, environment({ fetch }));
  expect(await readOne(thing, 'power')).toMatch(/answered more than 1048576 bytes/);
  expect(cancelled).toBe(true);
  expect(sent).toBeLessThan(2_000_000);
});

test('addresses other than http, with passwords, and headers with line breaks are refused', () => {
  for (const url of ['file:///etc/passwd', 'ftp://x/', 'http://user:pass@x/', 'nonsense']) {
    expect(http.options.safeParse({ url }).success, url).toBe(false);
  }
  expect(http.options.safeParse({ headers: { 'x-a': 'a\r\nb: c' } }).success).toBe(false);
});

test('a property without an address anywhere is a mistake in the thing', async () => {
  await expect(open(http, { properties }, environment())).rejects.toMatchObject({
    code: 'thing-invalid',
    message: expect.stringContaining('power.source.url'),
  });
});
