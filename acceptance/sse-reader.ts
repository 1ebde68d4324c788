import { get, type IncomingMessage } from 'node:http';
import type { StreamMessage } from '@ledge/contract';
import type { Appliance } from './appliance.ts';

const RETRY_MS = 100;

/** A reader of `/api/sse/stream`, as small as it can be and still keep order and ids. */
export class SseReader {
  readonly messages: StreamMessage[] = [];
  readonly events: { event: string; data: string }[] = [];
  connections = 0;
  lastEventId: string | undefined;
  readonly #appliance: Appliance;
  readonly #filters: readonly string[];
  readonly #reconnect: boolean;
  #response: IncomingMessage | undefined;
  #stopped = false;
  #rest = '';

  constructor(appliance: Appliance, filters: readonly string[], { reconnect = false } = {}) {
    this.#appliance = appliance;
    this.#filters = filters;
    this.#reconnect = reconnect;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#response?.destroy();
  }

  #connect(): void {
    const query = new URLSearchParams(this.#filters.map((filter): [string, string] => ['topic', filter]));
    const headers = {
      authorization: `Bearer ${this.#appliance.token}`,
      ...(this.lastEventId ? { 'last-event-id': this.lastEventId } : {}),
    };
    const call = get(`${this.#appliance.url}/api/sse/stream?${query}`, { headers, agent: false }, (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        this.#again();
        return;
      }
      this.#response = response;
      this.connections++;
      this.#rest = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => this.#read(text));
      response.once('close', () => this.#again());
      response.on('error', () => {});
    });
    call.on('error', () => this.#again());
  }

  #again(): void {
    if (this.#stopped || !this.#reconnect) return;
    setTimeout(() => this.#stopped || this.#connect(), RETRY_MS);
  }

  #read(text: string): void {
    const frames = (this.#rest + text).split('\n\n');
    this.#rest = frames.pop() ?? '';
    for (const frame of frames) {
      const fields = new Map(
        frame.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]),
      );
      const id = fields.get('id');
      if (id !== undefined) this.lastEventId = id;
      const data = fields.get('data');
      if (data === undefined) continue;
      const event = fields.get('event') ?? 'message';
      if (event === 'message') this.messages.push(JSON.parse(data) as StreamMessage);
      else this.events.push({ event, data });
    }
  }
}
