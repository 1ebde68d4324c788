import { z } from 'zod';

export const tileSchema = z.object({
  title: z.string(),
  /** A property topic of this box (`<thing>/<node>/<property>`), or a path of the service's own API that answers `{ value, unit? }`. */
  property: z.string().optional(),
  path: z.string().optional(),
});
export type Tile = z.infer<typeof tileSchema>;

/** Life-cycle words are Homie's, so that one vocabulary serves things and services. */
export const serviceStateSchema = z.enum(['init', 'ready', 'disconnected', 'lost']);
export type ServiceState = z.infer<typeof serviceStateSchema>;

/** What a service says of itself on `<edge>/service/<name>`, retained; the will says the same with state `lost`. */
export const serviceRecordSchema = z.object({
  name: z.string(),
  version: z.string(),
  summary: z.string(),
  state: serviceStateSchema,
  /** `unix:/path`, `pipe:\\.\pipe\name` or `http://host:port`: where the gateway reaches it. */
  address: z.string(),
  /** Changes with each start: two records with one name and different instances are two processes. */
  instance: z.string(),
  startedAt: z.iso.datetime(),
  tiles: z.array(tileSchema),
});
export type ServiceRecord = z.infer<typeof serviceRecordSchema>;
