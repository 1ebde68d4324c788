import { actionResultSchema, commonApi, operation } from '@ledge/contract';
import { z } from 'zod';
import { jsonSchema } from './openapi.ts';
import type { Actions, ServiceContext } from './service.ts';

/** Lists the actions of a service, and runs them: `GET /actions`, `POST /actions/<name>`. */
export function serveActions<S>(context: ServiceContext<S>, actions: Actions<S>): void {
  const { api, log } = context;
  const entries = Object.entries(actions);
  const views = entries.map(([name, { title, confirm, input }]) => ({
    name,
    title,
    ...(confirm === undefined ? {} : { confirm }),
    ...(input ? { input: jsonSchema(input, 'input') } : {}),
  }));
  api.handle(commonApi.actions, () => views);
  for (const [name, action] of entries) {
    const endpoint = operation({
      method: 'post',
      path: `/actions/${name}`,
      summary: action.title,
      for: 'admin',
      ...(action.input ? { body: z.preprocess((body) => body ?? {}, action.input) } : {}),
      response: actionResultSchema,
      problems: ['invalid-value'],
    });
    api.handle(endpoint, async ({ body, caller }) => {
      const result = await action.run(context, body);
      log.info({ action: name, user: caller.user }, 'action done');
      return { ...(result === undefined ? {} : { result }) };
    });
  }
}
