import { type MediaState, mediaApi, Problem, shown } from '@ledge/contract';
import type { Api } from '@ledge/kit';
import type { Jukebox } from './jukebox.ts';
import { tooLarge } from './library.ts';

/** The HTTP side of {@link mediaApi}; every control answers with the state after it. */
export function serveMedia(api: Api, jukebox: Jukebox, maxUploadMb: () => number): void {
  const { playback, library, playlists, radios } = jukebox;
  const after = async (done: Promise<void> | void): Promise<MediaState> => {
    await done;
    return playback.state();
  };
  api.handle(mediaApi.state, () => playback.state());
  api.handle(mediaApi.play, ({ body }) => after(playback.play(body.index)));
  api.handle(mediaApi.pause, () => after(playback.pause()));
  api.handle(mediaApi.stop, () => after(playback.halt()));
  api.handle(mediaApi.next, () => after(playback.next()));
  api.handle(mediaApi.previous, () => after(playback.previous()));
  api.handle(mediaApi.seek, ({ body }) => after(playback.seek(body.positionS)));
  api.handle(mediaApi.volume, ({ body }) => after(playback.setVolume(body.volume)));
  api.handle(mediaApi.mute, ({ body }) => after(playback.setMuted(body.muted)));
  api.handle(mediaApi.repeat, ({ body }) => after(playback.setRepeat(body.repeat)));
  api.handle(mediaApi.enqueue, async ({ body }) => after(playback.enqueue(await jukebox.track(body.source, body.title), body.at)));
  api.handle(mediaApi.move, ({ params, body }) => after(playback.move(params.id, body.to)));
  api.handle(mediaApi.dequeue, ({ params }) => after(playback.dequeue(params.id)));
  api.handle(mediaApi.clear, () => after(playback.replace([])));

  api.handle(mediaApi.library, () => library.list());
  api.handle(mediaApi.upload, ({ params, request, signal }) => {
    if (!request.is([...mediaApi.upload.upload])) {
      const type = shown(request.headers['content-type']);
      throw new Problem('unsupported-media-type', `content-type is ${type}; ${mediaApi.upload.upload.join(' or ')} is wanted`);
    }
    const limitBytes = maxUploadMb() * 1e6;
    if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(params.file, limitBytes);
    return library.store(params.file, request, limitBytes, signal);
  });
  api.handle(mediaApi.erase, ({ params }) => library.erase(params.file));

  api.handle(mediaApi.radios, () => radios.list());
  api.handle(mediaApi.saveRadio, ({ params, body }) => jukebox.saveRadio({ ...params, ...body }));
  api.handle(mediaApi.removeRadio, ({ params }) => radios.remove(params.id));
  api.handle(mediaApi.playRadio, ({ params }) => after(jukebox.playRadio(params.id)));

  api.handle(mediaApi.playlists, () => playlists.list());
  api.handle(mediaApi.savePlaylist, ({ params }) => playlists.put(params.name, playback.state().queue));
  api.handle(mediaApi.loadPlaylist, ({ params }) => after(playback.replace(jukebox.fresh(playlists.get(params.name)))));
  api.handle(mediaApi.removePlaylist, ({ params }) => playlists.remove(params.name));
}
