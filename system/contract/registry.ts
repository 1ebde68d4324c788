import { z } from 'zod';

/** A tile of the service's own on the dashboard: a title, and either a property of a thing or a path. */
export interface Tile {
  /** What people read above the value. */
  title: string;
  /** A property of this box's things, `<thing>/<node>/<property>`: shown as it changes. */
  property?: string | undefined;
  /** A path of the service's own API, such as `coldest`, that answers `{ value, unit? }` to viewers: asked every half a minute. */
  path?: string | undefined;
}
export const tileSchema: z.ZodType<Tile> = z.object({ title: z.string(), property: z.string().optional(), path: z.string().optional() });

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
