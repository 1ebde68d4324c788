import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '@ledge/contract';
import type { BrokerSettings } from '../config.ts';
import { INFLIGHT_MESSAGES } from '../limits.ts';
import type { Ports } from '../listeners.ts';

/** Files of ours and of mosquitto's, all in one directory that only we read. */
export class MosquittoFiles {
  readonly dir: string;
  #drafts = 0;

  constructor(dir: string) {
    this.dir = dir;
  }
  get configuration(): string {
    return join(this.dir, 'mosquitto.conf');
  }
  get security(): string {
    return join(this.dir, 'security.json');
  }
  get certificate(): string {
    return join(this.dir, 'certificate.pem');
  }
  get key(): string {
    return join(this.dir, 'key.pem');
  }
  get pid(): string {
    return join(this.dir, 'pid');
  }

  /** Replaces a file, so that mosquitto never reads half of one. All are written anew at each start, so none must survive a power cut. */
  async write(file: string, content: string): Promise<void> {
    const draft = `${file}.${++this.#drafts}`;
    await writeFile(draft, content, { mode: 0o600 });
    await rename(draft, file);
  }
}

/**
 * Settings for which mosquitto has nothing. Its `memory_limit` is no help: each change of users makes 2.0.21 and older count memory wrongly,
 * until it refuses everything.
 */
export const WITHOUT_EQUIVALENT: readonly (keyof BrokerSettings)[] = [
  'connectionsPerAddress',
  'messagesPerSecond',
  'queuedBytesHard',
  'queuedBytesTotal',
  'subscriptionsPerClient',
  'retainedBytes',
  'connectTimeoutS',
  'queueWriteDelayMs',
];

export interface ConfigurationOptions {
  settings: BrokerSettings;
  /** Ports that are listened on; 0 is off. */
  ports: Record<keyof Ports, number>;
  files: MosquittoFiles;
  /** The file of the dynamic-security plugin. */
  plugin: string;
  sysIntervalS: number;
}

/** The whole of mosquitto.conf. @throws Problem `config-invalid` when a value would be read as more than a value. */
export function configurationOf({ settings, ports, files, plugin, sysIntervalS }: ConfigurationOptions): string {
  const lines: string[] = [];
  const say = (key: string, value: string | number | boolean) => lines.push(`${key} ${checked(key, String(value))}`);
  say('allow_anonymous', settings.allowAnonymous);
  if (process.getuid?.() === 0) say('user', 'root'); // or it becomes another user, who cannot read these files
  say('log_dest', 'stderr');
  say('log_timestamp', false);
  for (const type of ['error', 'warning', 'notice', 'information']) say('log_type', type);
  say('connection_messages', true);
  say('sys_interval', sysIntervalS);
  say('persistence', true);
  say('persistence_location', `${files.dir}/`);
  say('autosave_interval', Math.max(1, settings.retainedWriteIntervalS));
  if (settings.sessionExpiryH > 0) say('persistent_client_expiration', `${settings.sessionExpiryH}h`);
  say('check_retain_source', false); // what somebody has said stays said when he is gone
  say('allow_duplicate_messages', false);
  say('set_tcp_nodelay', true);
  say('max_packet_size', settings.packetBytes);
  say('max_inflight_messages', INFLIGHT_MESSAGES);
  say('max_queued_messages', settings.queuedMessages);
  say('max_queued_bytes', settings.queuedBytes);
  say('plugin', plugin);
  say('plugin_opt_config_file', files.security);
  // our rules name no client ids and users, so signs in those cannot widen them
  say('auth_plugin_deny_special_chars', false);
  const listener = (port: number, { tls, webSocket }: { tls: boolean; webSocket: boolean }) => {
    if (port === 0) return;
    say('listener', settings.host === '::' ? port : `${port} ${settings.host}`); // without an address: both IPv4 and IPv6
    say('max_connections', settings.connections);
    if (webSocket) say('protocol', 'websockets');
    if (!tls) return;
    say('certfile', files.certificate);
    say('keyfile', files.key);
    say('tls_version', 'tlsv1.2');
  };
  listener(ports.tcp, { tls: false, webSocket: false });
  listener(ports.tls, { tls: true, webSocket: false });
  listener(ports.webSocket, { tls: false, webSocket: true });
  listener(ports.secureWebSocket, { tls: true, webSocket: true });
  return `${lines.join('\n')}\n`;
}

function checked(key: string, value: string): string {
  if (/^\s|\s$|[\p{Cc}]/u.test(value)) {
    throw new Problem('config-invalid', `${key} for mosquitto is ${JSON.stringify(value)}; a value without control characters is wanted`);
  }
  return value;
}
