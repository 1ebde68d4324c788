import { join } from 'node:path';
import { systemClock } from '@ledge/kit';
import pino from 'pino';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Fixtures, fixtures } from './fixtures.ts';
import { playerContract } from './player-contract.ts';
import { MplayerPlayer } from './player-mplayer.ts';
import { nodeProcesses } from './process-node.ts';

let made: Fixtures;
const files = { long: '', short: '', broken: '', absent: '' };

beforeAll(async () => {
  made = await fixtures();
  files.long = await made.tone('long.wav', 10);
  files.short = await made.spoken('short.wav');
  files.broken = await made.text('broken.wav');
  files.absent = join(made.folder, 'absent.wav');
});
afterAll(() => made.remove());

const realPlayer = () =>
  new MplayerPlayer({
    processes: nodeProcesses(made.folder),
    clock: systemClock,
    log: pino({ level: 'silent' }),
    outputArguments: async () => ['-ao', 'null'],
  });

describe('mplayer', () => {
  playerContract(async () => {
    const player = realPlayer();
    return { ...files, player, wait: (ms) => systemClock.sleep(ms), stop: () => player.close() };
  });
});
