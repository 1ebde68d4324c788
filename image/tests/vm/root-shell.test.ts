import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { RootShells } from './root-shell.ts';

/** The machine's side of the wire, which answers as the script in the guest does. */
class Guest {
  readonly #requests: string[] = [];
  readonly wire: Duplex;
  readonly host: Duplex;
  constructor() {
    [this.host, this.wire] = duplexPair();
    this.wire.on('data', (bytes: Buffer) => this.#requests.push(bytes.toString()));
  }
  say(text: string): void {
    this.wire.write(text);
  }
  /** The next request, without the questions for a hello. */
  async heard(): Promise<string> {
    for (;;) {
      const request = this.#requests.shift();
      if (request !== undefined && request !== 'hello\n') return request;
      if (request === undefined) await once(this.wire, 'data');
    }
  }
}

test('a command waits for the hello, and its answer comes whole however it was cut', async () => {
  const guest = new Guest();
  const shells = new RootShells([guest.host]);
  const answer = shells.exec('cat', { input: 'hi', seconds: 5 });
  guest.say('hello 1234\n');
  expect(await guest.heard()).toBe('r1 5 3 2\ncathi');
  for (const part of ['r1 3', ' 6 4 \nout\n', '4\noops']) guest.say(part);
  expect(await answer).toEqual({ code: 3, out: 'out\n4\n', err: 'oops' });
});

test('each command has a shell of its own, and waits when none is free', async () => {
  const [first, second] = [new Guest(), new Guest()];
  const shells = new RootShells([first.host, second.host]);
  for (const guest of [first, second]) guest.say('hello x\n');
  const answers = [1, 2, 3].map((n) => shells.exec(`echo ${n}`));
  expect([await first.heard(), await second.heard()]).toEqual(['r1 60 6 0\necho 1', 'r1 60 6 0\necho 2']);
  second.say('r1 0 2 0 \n2\n');
  expect(await second.heard()).toBe('r2 60 6 0\necho 3');
  second.say('r2 0 2 0 \n3\n');
  first.say('r1 0 2 0 \n1\n');
  expect((await Promise.all(answers)).map(({ out }) => out)).toEqual(['1\n', '2\n', '3\n']);
});

test('the same hello again, for somebody who came later, changes nothing', async () => {
  const guest = new Guest();
  const shells = new RootShells([guest.host]);
  guest.say('hello a\n');
  const answer = shells.exec('true');
  await guest.heard();
  guest.say('hello a\nr1 0 0 0 \n');
  expect((await answer).code).toBe(0);
});

test('a machine that starts again fails the command that was running, and takes the next', async () => {
  const guest = new Guest();
  const shells = new RootShells([guest.host]);
  guest.say('hello a\n');
  const lost = shells.exec('reboot');
  await guest.heard();
  guest.say('hello b\n');
  await expect(lost).rejects.toThrow('the machine started again during: reboot');
  const next = shells.exec('true');
  await guest.heard();
  guest.say('r2 0 0 0 \n');
  expect((await next).code).toBe(0);
});
