import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defineService, type ServiceContext } from '@ledge/kit';
import { Gauge } from 'prom-client';
import { type MediaSettings, mediaSettings } from './config.ts';
import { HomeAssistant } from './home-assistant.ts';
import { HomieThing } from './homie-thing.ts';
import { Jukebox } from './jukebox.ts';
import { isSound, Library, TEMPORARY } from './library.ts';
import { Playlists, Radios, StateFile } from './memory.ts';
import { Playback } from './playback.ts';
import type { Player } from './player.ts';
import { MplayerPlayer } from './player-mplayer.ts';
import { nodeProcesses } from './process-node.ts';
import { serveMedia } from './routes.ts';
import { SoundOutput } from './sound-output.ts';

type Context = ServiceContext<MediaSettings>;

/** A desktop's sound server holds the cards; where one answers, sound goes there. */
const pulseAnswers = ({ PULSE_SERVER, XDG_RUNTIME_DIR }: NodeJS.ProcessEnv) =>
  Boolean(PULSE_SERVER) || (XDG_RUNTIME_DIR !== undefined && existsSync(join(XDG_RUNTIME_DIR, 'pulse', 'native')));

const realPlayer = (context: Context, output: SoundOutput): Player =>
  new MplayerPlayer({
    processes: nodeProcesses(ownFolder(context)),
    clock: context.clock,
    log: context.log,
    outputArguments: () => output.choose(),
  });

/** The library is the service's own directory, where people find it; what is the player's own lies in a hidden folder there. */
const ownFolder = (context: Context) => join(context.dataDir, '.player');

/** The service over a player; tests bring a simulated one. */
export const mediaService = (playerOf: (context: Context, output: SoundOutput) => Player) =>
  defineService({
    name: 'media',
    version: '0.1.0',
    summary: 'Plays files of the library and radio stations',
    settings: mediaSettings,
    precious: { items: [{ path: 'media', except: new RegExp(`^\\${TEMPORARY}`) }] },
    tiles: [{ title: 'Player', property: 'media/player/title' }],
    async start(context) {
      const { bus, clock, edge, log } = context;
      const output = new SoundOutput(() => context.settings.output, {
        root: context.settings.machineRoot,
        platform: process.platform,
        pulse: pulseAnswers(process.env),
      });
      await output.choose();
      const library = new Library(join(context.dataRoot, 'media'), randomUUID);
      await library.start();
      await mkdir(ownFolder(context), { recursive: true, mode: 0o700 });
      const memory = new StateFile(ownFolder(context), clock, log);
      const playback = new Playback({
        player: playerOf(context, output),
        clock,
        log,
        fileOf: async (path) => (await library.find(path)).file,
        settings: () => context.settings,
        output,
        changed: () => {
          memory.soon(() => playback.remembered());
          thing.say(playback.state());
        },
        remember: () => memory.now(playback.remembered()),
        trackStarted: ({ title }) => context.emit('track-started', { title }),
        failed: (message) => context.emit('player-failed', { message }),
      });
      const jukebox = new Jukebox(
        { library, playlists: new Playlists(ownFolder(context), log), radios: new Radios(ownFolder(context), log) },
        playback,
        randomUUID,
      );
      const thing = new HomieThing(bus, edge, jukebox, log);
      const homeAssistant = new HomeAssistant(bus, edge);
      serveMedia(context.api, jukebox, () => context.settings.maxUploadMb);
      countIn(context, playback);
      await playback.start(memory.load());
      await thing.start(playback.state());
      await homeAssistant.start();
      let chosen = context.settings.output;
      return {
        check: () => playback.check(),
        backup: {
          flush: async () => memory.now(playback.remembered()),
          count: (files) => ({ tracks: files.filter(isSound).length }),
        },
        async apply(settings) {
          if (settings.output === chosen) return;
          chosen = settings.output;
          await output.choose();
          await playback.restartPlayer();
        },
        actions: {
          'scan-library': {
            title: 'Scan the library again',
            run: async () => `${await library.rescan()} sound files are in the library`,
          },
        },
        async stop() {
          memory.now(playback.remembered());
          await thing.stop();
          await homeAssistant.stop();
          await playback.stop();
        },
      };
    },
  });

function countIn({ metrics }: Context, playback: Playback): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [metrics],
      collect() {
        this.set(read());
      },
    });
  gauge('ledge_media_playing', '1 while sound is heard', () => Number(playback.state().state === 'playing'));
  gauge('ledge_media_queue_tracks', 'Tracks in the queue', () => playback.state().queue.length);
  gauge('ledge_media_volume_percent', 'Loudness', () => playback.state().volume);
  gauge('ledge_media_tracks_total', 'Tracks started', () => playback.counters.tracks);
  gauge('ledge_media_failures_total', 'Tracks that could not be played', () => playback.counters.failures);
  gauge('ledge_media_reconnects_total', 'Streams that were lost and tried again', () => playback.counters.reconnects);
}

/** Plays sound through mplayer. */
export const media = mediaService(realPlayer);
