export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, unknown>>;
  components?: { schemas?: Record<string, unknown>; securitySchemes?: Record<string, unknown> };
}

const SCHEMA_REF = '#/components/schemas/';
/** OpenAPI 3.1, "Components Object": `^[a-zA-Z0-9\.\-_]+$`. */
const componentName = (service: string, name: string) => `${service}.${name}`;

/**
 * One document of many: paths come below `/api/<service>`, schemas get the service's name before theirs, and security is the gateway's.
 * @param parts by service name, already known to be OpenAPI 3.1 in their outline
 */
export function mergeOpenApi(
  info: { title: string; version: string; description: string },
  parts: ReadonlyMap<string, OpenApiDocument>,
  sessionCookie: string,
): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {};
  const schemas: Record<string, unknown> = {};
  const tags: { name: string; description?: string }[] = [];
  for (const [service, part] of parts) {
    tags.push({ name: service, ...(part.info.description === undefined ? {} : { description: part.info.description }) });
    for (const [path, item] of Object.entries(part.paths)) {
      const below = path === '/' ? '' : path;
      paths[`/api/${service}${below}`] = withRefs(item, service) as Record<string, unknown>;
    }
    for (const [name, schema] of Object.entries(part.components?.schemas ?? {})) {
      schemas[componentName(service, name)] = withRefs(schema, service);
    }
  }
  const securitySchemes = {
    session: { type: 'apiKey', in: 'cookie', name: sessionCookie },
    token: { type: 'http', scheme: 'bearer' },
  };
  return { openapi: '3.1.0', info, ...{ tags, servers: [{ url: '/' }] }, paths, components: { schemas, securitySchemes } };
}

/** A copy in which references to the service's schemas go to their new names. */
function withRefs(value: unknown, service: string): unknown {
  if (Array.isArray(value)) return value.map((item) => withRefs(item, service));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const isOurs = key === '$ref' && typeof item === 'string' && item.startsWith(SCHEMA_REF);
      return [key, isOurs ? SCHEMA_REF + componentName(service, item.slice(SCHEMA_REF.length)) : withRefs(item, service)];
    }),
  );
}
