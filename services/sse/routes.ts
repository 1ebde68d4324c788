import { mayPublish, Problem, rulesOfRole, shown, sseApi } from '@ledge/contract';
import type { Api, Bus } from '@ledge/kit';
import type { Response } from 'express';
import type { Hub } from './hub.ts';
import type { Sink } from './reader.ts';

const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // no-transform: a proxy that compresses would hold events back
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
};

function open(response: Response): Sink {
  response.writeHead(200, STREAM_HEADERS);
  response.flushHeaders();
  response.socket?.setNoDelay(true);
  return {
    write: (chunk) => response.write(chunk),
    onDrain: (listener) => void response.on('drain', listener),
    end: () => void response.end(),
    destroy: () => void response.destroy(),
  };
}

/** HTTP over the hub: who may read and publish what is decided here, by the same rules as for MQTT. */
export function serveSse(api: Api, { hub, bus, edge }: { hub: Hub; bus: Bus; edge: string }): void {
  api.handle(sseApi.stream, async ({ query, caller, request, response, signal }) => {
    const reader = await hub.join({
      filters: query.topic,
      rules: rulesOfRole(caller.role, edge),
      // the header comes from a browser that reconnects by itself, so it is the newer of the two
      lastEventId: request.get('last-event-id') ?? query.lastEventId,
      open: () => open(response),
    });
    const leave = () => hub.leave(reader);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    return undefined;
  });

  api.handle(sseApi.publish, async ({ body, caller }) => {
    const { topic, value, retain, qos } = body;
    if (!mayPublish(rulesOfRole(caller.role, edge), topic)) {
      throw new Problem('not-allowed', `topic is ${shown(topic)}; the role ${caller.role} may not publish there`);
    }
    await bus.publish(topic, typeof value === 'string' ? value : JSON.stringify(value), { retain, qos });
    return { topic };
  });
}
