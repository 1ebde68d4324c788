import { fakeClock } from '@ledge/testing';
import pino from 'pino';
import { describe } from 'vitest';
import { simulatedProcesses } from './mplayer-simulated.ts';
import { playerContract } from './player-contract.ts';
import { MplayerPlayer } from './player-mplayer.ts';
import { SimulatedPlayer } from './player-simulated.ts';

const SOURCES: Record<string, { lengthS?: number; fails?: string }> = {
  '/long.wav': { lengthS: 10 },
  '/short.wav': { lengthS: 1 },
  '/broken.wav': { fails: '' },
};
const FILES = { long: '/long.wav', short: '/short.wav', broken: '/broken.wav', absent: '/absent.wav' };

describe('simulated player', () => {
  playerContract(async () => {
    const clock = fakeClock();
    const player = new SimulatedPlayer(clock, (source) => SOURCES[source]);
    return { ...FILES, player, wait: (ms) => clock.advance(ms), stop: () => player.close() };
  });
});

describe('driver of mplayer over a simulated process', () => {
  playerContract(async () => {
    const clock = fakeClock();
    const processes = simulatedProcesses(clock, (source) => SOURCES[source]);
    const log = pino({ level: 'silent' });
    const player = new MplayerPlayer({ processes, clock, log, outputArguments: async () => ['-ao', 'null'] });
    // nothing else moves this clock while the contract waits for the player
    const stopMoving = setInterval(() => void clock.advance(5), 1);
    const wait = async (ms: number) => {
      clearInterval(stopMoving);
      await clock.advance(ms);
    };
    return {
      ...FILES,
      player,
      wait,
      async stop() {
        clearInterval(stopMoving);
        await player.close();
      },
    };
  });
});
