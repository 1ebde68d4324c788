/** What a line of mosquitto's log tells. */
export type Told =
  | { kind: 'ready'; version: string }
  | { kind: 'opened'; address: string; port: string; listener: number }
  | { kind: 'joined'; address: string; port: string; client: string; user: string | undefined; clean: boolean }
  /** Of a client that joined, or of somebody who was never let in: the line does not say which. */
  | { kind: 'ended'; client: string; reason: string }
  | { kind: 'unauthorised'; client: string; reason: string }
  | { kind: 'expired'; client: string }
  | { kind: 'turned-away'; address: string; reason: string }
  | { kind: 'dropping'; client: string }
  | { kind: 'other'; level: 'error' | 'warn' | 'debug' };

export const REPLACED = 'another client connected with the same client id';
/** How a line about a client ends, and what it means. Client ids may contain anything, so only the end of the line is asked. */
const ENDINGS: readonly (readonly [ending: string, reason: string])[] = [
  [' already connected, closing old connection.', REPLACED],
  [' been disconnected by administrative action.', 'was disconnected'],
  [' has exceeded timeout, disconnecting.', 'was silent for longer than its keep alive allows'],
  [' closed its connection.', 'the connection broke'],
  [' disconnected due to malformed packet.', 'sent a packet that is no MQTT'],
  [' disconnected due to protocol error.', 'sent what MQTT does not allow'],
  [' disconnected due to oversize packet.', 'sent a packet that is too large'],
  [' disconnected due to oversize payload.', 'sent a message that is too large'],
  [' disconnected due to out of memory.', 'there was no memory left for it'],
  [' disconnected.', 'said goodbye'],
];
const UNAUTHORISED = ' disconnected, not authorised.';
const CLIENT = 'Client ';
/** Who has not said its id. */
const UNKNOWN = '<unknown>';

const READY = /^mosquitto version (\S+) running$/;
const OPENED = /^New connection from (\S+):(\d+) on port (\d+)\.$/;
const JOINED = /^New client connected from (\S+):(\d+) as (.*) \(p\d+, c([01]), k\d+(?:, u'(.*?)')?\)\.$/;
const FULL = /^Client connection from (\S+) denied: max_connections exceeded\.$/;
const FAILED = /^Client connection from (\S+) failed: (.*)$/;
const DROPPING = /^Outgoing messages are being dropped for client (.*)\.$/;
const EXPIRED = /^Expiring client (.*) due to timeout\.$/;
const DISCONNECTED_BECAUSE = /^Client (.*) disconnected(?: due to|:) (.*)\.$/;
const BAD_SOCKET = /^Bad socket read\/write on client (.*): (.*)$/;

const withoutMapping = (address: string) => address.replace(/^::ffff:/, '');

/** Reads a line; formats of mosquitto 2.0.11 to 2.0.22. */
export function readLine(line: string): Told {
  const [, version] = READY.exec(line) ?? [];
  if (version) return { kind: 'ready', version };
  const opened = OPENED.exec(line);
  if (opened) return { kind: 'opened', address: withoutMapping(opened[1] ?? ''), port: opened[2] ?? '', listener: Number(opened[3]) };
  const joined = JOINED.exec(line);
  if (joined) {
    const [, address = '', port = '', client = '', clean, user] = joined;
    return { kind: 'joined', address: withoutMapping(address), port, client, user, clean: clean === '1' };
  }
  const full = FULL.exec(line);
  if (full) return { kind: 'turned-away', address: withoutMapping(full[1] ?? ''), reason: 'as many connections are open as are allowed' };
  const failed = FAILED.exec(line);
  if (failed) return { kind: 'turned-away', address: withoutMapping(failed[1] ?? ''), reason: tlsFault(failed[2] ?? '') };
  const dropping = DROPPING.exec(line);
  if (dropping) return { kind: 'dropping', client: dropping[1] ?? '' };
  const expired = EXPIRED.exec(line);
  if (expired) return { kind: 'expired', client: expired[1] ?? '' };
  return readEnd(line);
}

function readEnd(line: string): Told {
  if (line.startsWith(CLIENT)) {
    const before = (ending: string) => {
      const client = line.slice(CLIENT.length, -ending.length);
      return client === UNKNOWN ? '' : client;
    };
    if (line.endsWith(UNAUTHORISED)) {
      return { kind: 'unauthorised', client: before(UNAUTHORISED), reason: 'gave a wrong name or password, or none' };
    }
    for (const [ending, reason] of ENDINGS) if (line.endsWith(ending)) return { kind: 'ended', client: before(ending), reason };
  }
  const [, client, why] = DISCONNECTED_BECAUSE.exec(line) ?? BAD_SOCKET.exec(line) ?? [];
  if (client !== undefined) return { kind: 'ended', client, reason: `was disconnected: ${why}` };
  if (/^Error\b/.test(line)) return { kind: 'other', level: 'error' };
  return { kind: 'other', level: /^Warning\b/.test(line) ? 'warn' : 'debug' };
}

/** OpenSSL's words are behind the last colon. */
const tlsFault = (text: string) => `TLS failed: ${text.slice(text.lastIndexOf(':') + 1).replace(/\.$/, '')}`;
