import { expect, test } from 'vitest';
import { parseExports } from './stand-ins.ts';

test('functions, data and versions are told apart', () => {
  const text = [
    '0000000000000000 A SMBCLIENT_0.1.0',
    '000000000000d5a0 T smbc_open@@SMBCLIENT_0.1.0',
    '0000000000021000 D some_table@@SMBCLIENT_0.1.0',
    '0000000000001234 W weak_one',
    '                 U malloc@GLIBC_2.17',
    '',
  ].join('\n');
  expect(parseExports(text)).toEqual([
    { name: 'smbc_open', version: 'SMBCLIENT_0.1.0', isFunction: true },
    { name: 'some_table', version: 'SMBCLIENT_0.1.0', isFunction: false },
    { name: 'weak_one', version: undefined, isFunction: true },
  ]);
});
