import { Problem } from '@ledge/contract';
import { type Logger, problemAnswer } from '@ledge/kit';
import express, { type Express } from 'express';
import type { Identifier } from '../auth/identify.ts';
import { securityHeaders } from '../web/security-headers.ts';
import type { WebUi } from '../web/web.ts';
import type { Gateway } from './gateway.ts';

const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface FrontPorts {
  gateway: Gateway;
  web: WebUi;
  identifier: Identifier;
  log: Logger;
  publicMetrics(): boolean;
  metrics(): Promise<string>;
  openApi(): Promise<object>;
}

/** What stands behind the public port, in order: safety, the merged documents, the services, the web UI. */
export function frontDoor({ gateway, web, identifier, log, publicMetrics, metrics, openApi }: FrontPorts): Express {
  const front = express();
  front.disable('x-powered-by');
  front.disable('etag');
  front.enable('case sensitive routing');
  front.use(securityHeaders());
  front.get('/metrics', async (request, response) => {
    const role = publicMetrics() ? 'viewer' : identifier.identify(request)?.role;
    if (role === undefined || role === 'kiosk') {
      throw new Problem('not-signed-in', 'Metrics need a token of the role viewer, or the setting publicMetrics.');
    }
    response
      .set('Cache-Control', 'no-store')
      .type(PROMETHEUS_TYPE)
      .send(await metrics());
  });
  front.get('/api/openapi.json', async (_request, response) => {
    response.set('Cache-Control', 'no-cache').json(await openApi());
  });
  front.use((request, response, next) => {
    if (/^\/api(?:[/?]|$)/.test(request.url)) gateway.handle(request, response);
    else web.serve(request, response).catch(next);
  });
  front.use(problemAnswer(log));
  return front;
}
