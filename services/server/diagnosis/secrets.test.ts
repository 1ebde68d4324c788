import { expect, test } from 'vitest';
import { SecretFilter } from './secrets.ts';

const filter = new SecretFilter(['gateway-secret-of-this-box', 'short']);

test.each([
  ['mqtt://anna:hunter2@broker.local:1883/x', 'mqtt://***@broker.local:1883/x'],
  ['http://anna:p/a@ss@box.local', 'http://***@box.local'],
  ['asked http://box.local:8080/api/things', 'asked http://box.local:8080/api/things'],
  ['Authorization: Bearer abc.def-123', 'Authorization: ***'],
  ['sent Bearer abc.def-123', 'sent Bearer ***'],
  ['GET /x?token=abc123&y=1', 'GET /x?token=***&y=1'],
  ['{"password":"hunt \\"er2","port":5}', '{"password":***,"port":5}'],
  ["wifiPassword: 'my wifi'", 'wifiPassword: ***'],
  ['# psk = several words of it', '# psk = ***'],
  ['apiKey=abc', 'apiKey=***'],
  ['token ldg_abcdefghijkl is old', 'token *** is old'],
  ['hash was scrypt$32768$8$1$c2FsdA$a2V5', 'hash was ***'],
  ['it is gateway-secret-of-this-box', 'it is ***'],
  ['a short word stays', 'a short word stays'],
  ['the password is weak, and port: 5 stays', 'the password is weak, and port: 5 stays'],
])('of %j stays %j', (text, wanted) => {
  expect(filter.text(text)).toBe(wanted);
});

test('of a document, values of keys that name a secret are hidden, whatever is in them; numbers and flags stay', () => {
  const document = {
    port: 1883,
    hotspotKey: 'abc',
    auth: { clientSecret: ['one', 'two'], user: 'anna' },
    tokens: 3,
    setupToken: true,
    urls: ['mqtt://u:p@h', 'plain'],
  };
  expect(filter.value(document)).toEqual({
    port: 1883,
    hotspotKey: '***',
    auth: { clientSecret: '***', user: 'anna' },
    tokens: 3,
    setupToken: true,
    urls: ['mqtt://***@h', 'plain'],
  });
});

test('YAML keeps its comments and order, without secrets in either; a broken one is taken line by line', () => {
  const yaml = `# old password: hunter2
name: Meter
driver: http
http:
  url: http://anna:hunter2@meter.local/data
  headers: { X-Api-Key: hunter2, Accept: text/html }
  password: >-
    hunter2 over
    hunter2 lines
properties: { power: { datatype: float, unit: W } }
`;
  const clean = filter.yaml(yaml);
  expect(clean).not.toContain('hunter2');
  expect(clean).toContain('http://***@meter.local/data');
  expect(clean).toContain('Accept: text/html');
  expect(clean).toContain('power: { datatype: float, unit: W }');
  expect(filter.yaml('a: [\npassword: hunter2\n')).toBe('a: [\npassword: ***\n');
});
