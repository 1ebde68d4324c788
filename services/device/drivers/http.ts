import { durationMs, durationSchema, Problem, type Value } from '@ledge/contract';
import { asError } from '@ledge/kit';
import { type DriverEnvironment, type DriverProperty, defineDriver, type OpenThing } from '@ledge/sdk';
import { z } from 'zod';
import { fromValue, toValue, wordsShape } from './convert.ts';
import { type HttpRequest, request, shownUrl } from './http-request.ts';
import { extract, pathSchema } from './json-path.ts';
import { render, templateSchema } from './template.ts';

const url = z
  .string()
  .max(2000)
  .refine((text) => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    return parsed !== undefined && ['http:', 'https:'].includes(parsed.protocol) && parsed.username === '' && parsed.password === '';
  }, 'an address that begins with http:// or https:// is wanted, without a password in it (that belongs into headers)');
const headers = z.record(z.string().regex(/^[\w-]+$/, 'a header name is wanted'), z.string().regex(/^[^\r\n\0]*$/, 'one line is wanted'));

const optionsSchema = z.strictObject({
  url: url.optional().meta({ description: 'address for all properties that name none' }),
  headers: headers.default({}).meta({ description: 'sent with each request, such as Authorization' }),
  timeout: durationSchema.default('5s').meta({ description: 'how long an answer may take' }),
});
const sourceSchema = z.strictObject({
  url: url.optional(),
  value: pathSchema.optional().meta({ description: 'where the value is in the JSON answer; left out: the answer is the value' }),
  ...wordsShape,
  write: z
    .strictObject({
      url: url.optional().meta({ description: 'default: the address that is read' }),
      method: z.enum(['PUT', 'POST', 'PATCH']).default('PUT'),
      body: templateSchema.default('{value}'),
      headers: headers.default({}),
    })
    .optional()
    .meta({ description: 'how the property is set' }),
});
type Options = z.output<typeof optionsSchema>;
type Source = z.output<typeof sourceSchema>;

function addressOf(property: DriverProperty<Source>, options: Options): string {
  const address = property.source.url ?? options.url;
  if (address) return address;
  throw new Problem('thing-invalid', `${property.key}.source.url is nothing; an address is wanted there or in options.url`);
}

class HttpThing implements OpenThing {
  readonly polled: ReadonlySet<string>;
  readonly #properties: ReadonlyMap<string, DriverProperty<Source> & { address: string }>;
  readonly #options: Options;
  readonly #environment: DriverEnvironment;

  constructor(properties: readonly DriverProperty<Source>[], options: Options, environment: DriverEnvironment) {
    this.#properties = new Map(properties.map((property) => [property.key, { ...property, address: addressOf(property, options) }]));
    this.polled = new Set(this.#properties.keys());
    this.#options = options;
    this.#environment = environment;
  }

  async read(keys: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Value | Error>> {
    const wanted = keys.flatMap((key) => this.#properties.get(key) ?? []);
    const byAddress = Object.entries(Object.groupBy(wanted, ({ address }) => address));
    const answers = await Promise.all(byAddress.map(([address, properties = []]) => this.#readAddress(address, properties, signal)));
    return new Map(answers.flat());
  }

  async write(key: string, value: Value, signal: AbortSignal): Promise<Value> {
    const property = this.#properties.get(key);
    const write = property?.source.write;
    if (!property || !write) throw new Problem('command-rejected', `${key} has no write in its source; it cannot be set`);
    const body = render(write.body, fromValue(value, property.config, property.source));
    try {
      await this.#request(
        write.url ?? property.address,
        {
          method: write.method,
          headers: { 'content-type': body.json ? 'application/json' : 'text/plain', ...write.headers },
          body: body.text,
        },
        signal,
      );
    } catch (cause) {
      signal.throwIfAborted();
      throw new Problem('command-rejected', asError(cause).message, { cause });
    }
    return value;
  }

  async close(): Promise<void> {}

  /** One request for all properties of one address. */
  async #readAddress(address: string, properties: readonly DriverProperty<Source>[], signal: AbortSignal) {
    let answer: string | Error;
    try {
      answer = await this.#request(address, { method: 'GET', headers: {} }, signal);
    } catch (error) {
      answer = asError(error);
    }
    return properties.map(({ key, config, source }): [string, Value | Error] => {
      if (answer instanceof Error) return [key, answer];
      try {
        return [key, toValue(extract(answer, source.value, shownUrl(address)), config, source)];
      } catch (error) {
        return [key, asError(error)];
      }
    });
  }

  #request(address: string, how: Omit<HttpRequest, 'timeoutMs'>, signal: AbortSignal): Promise<string> {
    const headers = { ...this.#options.headers, ...how.headers };
    return request(address, { ...how, headers, timeoutMs: durationMs(this.#options.timeout) }, this.#environment, signal);
  }
}

/** Devices and services with an HTTP address that answers JSON or text. */
export const http = defineDriver({
  name: 'http',
  summary: 'devices and web services that answer JSON or text over HTTP',
  example: `name: Solar inverter
driver: http
options: { url: 'http://192.168.1.40/api/status', timeout: 3s }
sample: { every: 10s }
properties:
  power: { datatype: float, unit: W, source: { value: ac.power } }
  limit:
    datatype: integer
    unit: '%'
    min: 0
    max: 100
    settable: true
    source: { value: limit, write: { url: 'http://192.168.1.40/api/limit', body: { limit: '{value}' } } }
`,
  template: `name: Web device
driver: http
options:
  url: http://192.168.1.40/api/status     # asked once for all properties that name no other
  timeout: 3s
  # headers: { Authorization: Bearer … }
sample: { every: 30s }
properties:
  power: { datatype: float, unit: W, source: { value: ac.power } }    # where it is in the JSON answer
`,
  options: optionsSchema,
  source: sourceSchema,
  unavailable: async () => undefined,
  open: async ({ options, properties }, _sink, environment) => new HttpThing(properties, options, environment),
});
