import { filterFault, filters, filtersOverlap, Problem, shown } from '@ledge/contract';
import type { Action, Actions } from '@ledge/kit';
import { z } from 'zod';
import type { BrokerSettings } from './config.ts';
import type { Engine } from './engine.ts';

const clearInput = z.object({
  filter: z
    .string()
    .refine((filter) => filterFault(filter) === undefined, 'a topic filter such as tele/old-plug/# is wanted')
    .meta({ title: 'Topics', description: 'a topic, or a filter such as tele/old-plug/#' }),
});

/** What the broker can be asked to do by a button. */
export function brokerActions(engine: Engine, edge: string): Actions<BrokerSettings> {
  const clear: Action<BrokerSettings, typeof clearInput> = {
    title: 'Forget retained messages',
    confirm:
      'What a device that is gone has left behind is removed for good. A device that is still there says it again only when it wants to.',
    input: clearInput,
    async run(_context, { filter }) {
      const own = filters.everything(edge);
      if (filtersOverlap(filter, own)) {
        throw new Problem('invalid-value', `filter is ${shown(filter)}; one that leaves out ${own} is wanted: this box says that itself`, {
          errors: [{ field: 'filter', message: `a filter that leaves out ${own} is wanted` }],
        });
      }
      return `${await engine.clearRetained(filter)} retained messages were forgotten`;
    },
  };
  return { 'forget-retained': clear };
}
