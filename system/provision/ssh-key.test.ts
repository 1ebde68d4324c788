import { expect, test } from 'vitest';
import { parseSshKey } from './ssh-key.ts';
import { ED25519 } from './test-support.ts';

const ECDSA =
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBIS1wc1rGKoO706WvoHg/Os4O0a2eam6eySkpZrSq0zPINiXUjh+s31/COrrk2g4HCEyqk6Z6ycRIJHHOGMsQa4=';
const RSA_2048 =
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC80GTh+EC+FSvz/pghhc6HMnhJIaM0fAPMVqDPepZKBsjMYE/NFQTTMZzGFPuW7tBGhKBkJtbo9MMKkNMzZ8C/wQVJozQu2j3GaXRsj+XyEMZhVqOlSKEQTmcp3oDGv5UlJKwIksST6nhMsP81u5iVc2TqBb9Rs0Ei6I0P5wawRNFi2zw6v8g5j+fR+0NQLPQJqknQiWORg02V7MRdny9Jh8J6k1cfA682ibIc/jk34y+jvKHvjL+IdObfDZcFy72BypESSu85RukE+GefzOjHClGw2EIbUZjEm597SXbaRJMPx7mZWMyQx51ICy4fCYsLtCLr765Au9SNmjNNBdSB';
const RSA_1024 =
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDhfiCT0LxOGycwPiMtfbPnDlEqhbZmYUoRgtgsxiJW9GZWzy/1eKUD6buZT0w4WlpUHtiHqKmqosM+GCdsNzgTq1GpjBa9XHPS15Si6iMdzC9+JHXOM318SYmlLbHN/y9MVYXxV3QQeNjbFRmZ2+YwtM1FJ9qB/xdO5R2e6z1piQ==';

const string = (content: string | Buffer) => {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const made = (type: string, ...parts: (string | Buffer)[]) => `${type} ${Buffer.concat([type, ...parts].map(string)).toString('base64')}`;

test.each([ED25519, ECDSA, RSA_2048, made('sk-ssh-ed25519@openssh.com', Buffer.alloc(32, 1), 'ssh:')])('%s is a key', (line) => {
  expect(parseSshKey(`  ${line}\r`)).toEqual({ line });
});

test.each([
  ['', 'a type such as ssh-ed25519 is wanted first'],
  ['ssh-dss AAAA', 'it begins with "ssh-dss"; a type such as ssh-ed25519 is wanted first'],
  [`command="reboot" ${ED25519}`, 'a type such as ssh-ed25519 is wanted first'],
  ['ssh-ed25519', 'after ssh-ed25519 the key itself is missing, or is not in base64'],
  ['ssh-ed25519 not*base64', 'after ssh-ed25519 the key itself is missing, or is not in base64'],
  [ED25519.slice(0, 60), 'the key is cut off or damaged'],
  [ED25519.replace('ssh-ed25519', 'ssh-rsa'), 'it says ssh-rsa, but the key in it is of another type'],
  [made('ssh-ed25519', Buffer.alloc(31)), 'the key is cut off or damaged'],
  [made('ssh-ed25519', Buffer.alloc(32), 'more'), 'the key is cut off or damaged'],
  [made('ecdsa-sha2-nistp256', 'nistp384', Buffer.alloc(65, 4)), 'the key is cut off or damaged'],
  [RSA_1024, 'it is an RSA key of about 1024 bits; 2048 or more are wanted'],
  ['-----BEGIN OPENSSH PRIVATE KEY-----', 'it is a private key; the public one is wanted, from the file that ends in .pub'],
])('%s is none', (line, fault) => {
  expect(parseSshKey(line)).toEqual({ fault });
});

test('no line break or control character of a comment comes into the file of keys', () => {
  const bare = ED25519.replace(' anna@laptop', '');
  expect(parseSshKey(`${bare} a\u0000b\u001b[31m`)).toEqual({ line: `${bare} ab[31m` });
});
