import type { backupApi, brokerApi, commonApi, deviceApi, mediaApi, serverApi, sseApi } from '@ledge/contract';
import { type AskPorts, createAsk, urlOf } from './ask.ts';

type Server = typeof serverApi;
type Backup = typeof backupApi;
type Device = typeof deviceApi;
type Broker = typeof brokerApi;
type Media = typeof mediaApi;
type Sse = typeof sseApi;
type Common = typeof commonApi;
export type ApiPorts = AskPorts;

/** The box's HTTP API by service, each function typed by the contract. */
export function createApi(ports: ApiPorts) {
  const { route, send, boxNow } = createAsk(ports);
  return {
    boxNow,
    send,
    server: {
      health: route<Server['health']>('server', 'get', '/health'),
      setup: route<Server['setup']>('server', 'post', '/setup'),
      login: route<Server['login']>('server', 'post', '/login'),
      logout: route<Server['logout']>('server', 'post', '/logout'),
      session: route<Server['session']>('server', 'get', '/session'),
      sessions: route<Server['sessions']>('server', 'get', '/sessions'),
      endSession: route<Server['endSession']>('server', 'delete', '/sessions/{id}'),
      preferences: route<Server['preferences']>('server', 'get', '/preferences'),
      changePreferences: route<Server['changePreferences']>('server', 'put', '/preferences'),
      password: route<Server['password']>('server', 'put', '/password'),
      users: route<Server['users']>('server', 'get', '/users'),
      addUser: route<Server['addUser']>('server', 'post', '/users'),
      removeUser: route<Server['removeUser']>('server', 'delete', '/users/{name}'),
      tokens: route<Server['tokens']>('server', 'get', '/tokens'),
      addToken: route<Server['addToken']>('server', 'post', '/tokens'),
      removeToken: route<Server['removeToken']>('server', 'delete', '/tokens/{id}'),
      audit: route<Server['audit']>('server', 'get', '/audit'),
      services: route<Server['services']>('server', 'get', '/services'),
      restart: route<Server['restart']>('server', 'post', '/services/{name}/restart'),
      start: route<Server['start']>('server', 'post', '/services/{name}/start'),
      stop: route<Server['stop']>('server', 'post', '/services/{name}/stop'),
      forgetService: route<Server['forget']>('server', 'delete', '/services/{name}'),
      machine: route<Server['machine']>('server', 'get', '/machine'),
      doctor: route<Server['doctor']>('server', 'get', '/doctor'),
      changeIdentity: route<Server['changeIdentity']>('server', 'put', '/machine/identity'),
      reboot: route<Server['reboot']>('server', 'post', '/machine/reboot'),
      powerOff: route<Server['powerOff']>('server', 'post', '/machine/power-off'),
      factoryReset: route<Server['factoryReset']>('server', 'post', '/machine/factory-reset'),
      kiosk: route<Server['kiosk']>('server', 'get', '/kiosk'),
      changeKiosk: route<Server['changeKiosk']>('server', 'put', '/kiosk'),
      kioskHeartbeat: route<Server['kioskHeartbeat']>('server', 'post', '/kiosk/heartbeat'),
      history: route<Server['history']>('server', 'get', '/history/{thing}/{node}/{property}'),
    },
    /** To make one and to hand one in are files: see `admin/backup`. */
    backup: {
      overview: route<Backup['overview']>('server', 'get', '/backup'),
      unlock: route<Backup['unlock']>('server', 'post', '/backup/{id}/unlock'),
      restore: route<Backup['restore']>('server', 'post', '/backup/{id}/restore'),
      drop: route<Backup['drop']>('server', 'delete', '/backup/{id}'),
    },
    device: {
      things: route<Device['things']>('device', 'get', '/things'),
      thing: route<Device['thing']>('device', 'get', '/things/{thing}'),
      files: route<Device['files']>('device', 'get', '/files'),
      readFile: route<Device['readFile']>('device', 'get', '/things/{thing}/file'),
      writeFile: route<Device['writeFile']>('device', 'put', '/things/{thing}/file'),
      test: route<Device['test']>('device', 'post', '/things/{thing}/test'),
      enable: route<Device['enable']>('device', 'put', '/things/{thing}/enabled'),
      remove: route<Device['remove']>('device', 'delete', '/things/{thing}'),
      command: route<Device['command']>('device', 'put', '/things/{thing}/{node}/{property}'),
      drivers: route<Device['drivers']>('device', 'get', '/drivers'),
    },
    broker: {
      users: route<Broker['users']>('broker', 'get', '/users'),
      addUser: route<Broker['addUser']>('broker', 'post', '/users'),
      removeUser: route<Broker['removeUser']>('broker', 'delete', '/users/{name}'),
      clients: route<Broker['clients']>('broker', 'get', '/clients'),
      disconnect: route<Broker['disconnect']>('broker', 'delete', '/clients/{client}'),
      counters: route<Broker['counters']>('broker', 'get', '/counters'),
    },
    media: {
      state: route<Media['state']>('media', 'get', '/'),
      play: route<Media['play']>('media', 'post', '/play'),
      pause: route<Media['pause']>('media', 'post', '/pause'),
      stop: route<Media['stop']>('media', 'post', '/stop'),
      next: route<Media['next']>('media', 'post', '/next'),
      previous: route<Media['previous']>('media', 'post', '/previous'),
      seek: route<Media['seek']>('media', 'post', '/seek'),
      volume: route<Media['volume']>('media', 'post', '/volume'),
      mute: route<Media['mute']>('media', 'post', '/mute'),
      repeat: route<Media['repeat']>('media', 'post', '/repeat'),
      enqueue: route<Media['enqueue']>('media', 'post', '/queue'),
      move: route<Media['move']>('media', 'put', '/queue/{id}'),
      dequeue: route<Media['dequeue']>('media', 'delete', '/queue/{id}'),
      clear: route<Media['clear']>('media', 'delete', '/queue'),
      library: route<Media['library']>('media', 'get', '/library'),
      erase: route<Media['erase']>('media', 'delete', '/library/{file}'),
      radios: route<Media['radios']>('media', 'get', '/radios'),
      saveRadio: route<Media['saveRadio']>('media', 'put', '/radios/{id}'),
      removeRadio: route<Media['removeRadio']>('media', 'delete', '/radios/{id}'),
      playRadio: route<Media['playRadio']>('media', 'post', '/radios/{id}/play'),
      playlists: route<Media['playlists']>('media', 'get', '/playlists'),
      savePlaylist: route<Media['savePlaylist']>('media', 'put', '/playlists/{name}'),
      loadPlaylist: route<Media['loadPlaylist']>('media', 'post', '/playlists/{name}/load'),
      removePlaylist: route<Media['removePlaylist']>('media', 'delete', '/playlists/{name}'),
    },
    sse: {
      publish: route<Sse['publish']>('sse', 'post', '/publish'),
    },
    /** What every service answers. */
    of: (service: string) => ({
      settings: route<Common['settings']>(service, 'get', '/settings'),
      changeSettings: route<Common['changeSettings']>(service, 'put', '/settings'),
      actions: route<Common['actions']>(service, 'get', '/actions'),
      /** Runs an action of those that {@link actions} lists. */
      act: async (action: string, body: Record<string, unknown>): Promise<{ result?: unknown }> => {
        const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
        const response = await send(urlOf(service, '/actions/{action}', { action }), {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
        });
        return (await response.json()) as { result?: unknown };
      },
    }),
  };
}
export type Api = ReturnType<typeof createApi>;
