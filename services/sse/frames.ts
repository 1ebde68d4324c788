import type { STREAM_EVENTS, StreamMessage } from '@ledge/contract';

/** Names of the events on the stream. */
export type StreamEvent = keyof typeof STREAM_EVENTS;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LINE_BREAK = /[\r\n\0]/;

/** WHATWG "server-sent events", 9.2.5: a field ends at CR or LF, so neither may be in a name or an id. */
function field(name: 'id' | 'event', value: string): string {
  if (LINE_BREAK.test(value)) throw new TypeError(`${name} of a stream event has a line break: ${JSON.stringify(value)}`);
  return `${name}: ${value}\n`;
}

/** One event as bytes. The data goes as JSON, which has no line break of its own. */
export function eventFrame(event: StreamEvent, data: unknown, id?: string): Buffer {
  return Buffer.from(`${id === undefined ? '' : field('id', id)}${field('event', event)}data: ${JSON.stringify(data)}\n\n`);
}

/** A comment that keeps proxies and phones from taking a quiet stream for a dead one. */
export const HEARTBEAT = Buffer.from(':\n\n');

/** First bytes of a stream: how long a browser waits before it comes back, in ms. */
export const retryFrame = (retryMs: number) => Buffer.from(`retry: ${retryMs}\n\n`);

function text(payload: Buffer): Pick<StreamMessage, 'payload' | 'base64'> {
  try {
    return { payload: utf8.decode(payload) };
  } catch {
    return { payload: payload.toString('base64'), base64: true };
  }
}

/** A bus message as one frame, made once and written to every reader. Retained values carry no id: they are no step in the history. */
export function messageFrame(message: { topic: string; payload: Buffer; retained?: boolean }, id?: string): Buffer {
  const data: StreamMessage = { topic: message.topic, ...text(message.payload), ...(message.retained ? { retained: true } : {}) };
  return eventFrame('message', data, id);
}
