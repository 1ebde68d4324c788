import { realpath } from 'node:fs/promises';
import { Problem, shown, type Value } from '@ledge/contract';
import { asError } from '@ledge/kit';
import {
  type Driver,
  type DriverEnvironment,
  type DriverProperty,
  type DriverSink,
  type DriverThing,
  defineDriver,
  type OpenThing,
  type Suggestion,
  suggestion,
} from '@ledge/sdk';
import { z } from 'zod';
import { LineSplitter } from '../lines.ts';
import { createBackoff } from './backoff.ts';
import { fromValue, toValue, wordsShape } from './convert.ts';
import { type Field, type LineReader, lineReader, MAX_PATTERN_CHARACTERS, MAX_SERIAL_LINE_BYTES, patternFault } from './line-format.ts';
import { type OpenSerialPort, type SerialPort, ttyPorts } from './serial-port.ts';
import { list } from './sysfs.ts';
import { render, templateSchema } from './template.ts';

/** So many lines without a property's field, and none with it before, are a mistake in the thing and no coincidence. */
const LINES_BEFORE_FAULT = 20;
const LINE_ENDS = { lf: '\n', crlf: '\r\n', cr: '\r' };
/** Control characters: a value with a line break in it would be a second command. */
const CONTROL = /\p{Cc}/u;

const PORT_PATH = /^\/dev\/(?!.*\.\.)[\w./:+-]+$/;

const optionsSchema = z
  .strictObject({
    path: z
      .string()
      .max(200)
      .regex(PORT_PATH, 'a port such as /dev/ttyUSB0 or /dev/serial/by-id/… is wanted')
      .meta({ description: 'the port; its name in /dev/serial/by-id/ stays the same after a restart' }),
    baud: z.int().min(50).max(4_000_000).default(9600),
    format: z.enum(['json', 'csv', 'keyvalue', 'regex']).default('json'),
    separator: z.string().min(1).max(5).default(',').meta({ description: 'between the columns of csv' }),
    pattern: z
      .string()
      .max(MAX_PATTERN_CHARACTERS)
      .refine((pattern) => patternFault(pattern) === undefined, 'a regular expression is wanted')
      .optional()
      .meta({ description: 'for regex: the groups of this pattern are the fields' }),
    lineEnd: z
      .enum(['lf', 'crlf', 'cr'])
      .default('lf')
      .meta({ description: 'what ends a line that is sent; received ones may end anyhow' }),
  })
  .refine(
    (options) => (options.format === 'regex') === (options.pattern !== undefined),
    'pattern belongs to format: regex, and is wanted there',
  );
const sourceSchema = z.strictObject({
  value: z
    .union([z.string().max(200), z.int().nonnegative()])
    .optional()
    .meta({ description: 'json: path; csv: column from 1; keyvalue: key (default: the id of the property); regex: group' }),
  ...wordsShape,
  write: templateSchema.optional().meta({ description: 'the line that sets the property' }),
});
type Options = z.output<typeof optionsSchema>;
type Source = z.output<typeof sourceSchema>;

const DEFAULT_FIELD: Record<Options['format'], (key: string) => Field> = {
  json: () => '$',
  csv: () => 1,
  keyvalue: (key) => key.split('/').at(-1) ?? key,
  regex: () => 1,
};

class SerialThing implements OpenThing {
  readonly polled: ReadonlySet<string> = new Set();
  readonly #properties: ReadonlyMap<string, DriverProperty<Source>>;
  readonly #options: Options;
  readonly #sink: DriverSink;
  readonly #environment: DriverEnvironment;
  readonly #openPort: OpenSerialPort;
  #giveBack: () => void;
  readonly #read: LineReader;
  readonly #lines: LineSplitter;
  readonly #stopped = new AbortController();
  readonly #heard = new Set<string>();
  #lineCount = 0;
  #away = false;
  #port: SerialPort | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    thing: DriverThing<Options, Source>,
    sink: DriverSink,
    environment: DriverEnvironment,
    openPort: OpenSerialPort,
    giveBack: () => void,
  ) {
    this.#properties = new Map(thing.properties.map((property) => [property.key, property]));
    this.#options = thing.options;
    this.#sink = sink;
    this.#environment = environment;
    this.#openPort = openPort;
    this.#giveBack = giveBack;
    this.#read = lineReader(thing.options);
    this.#lines = new LineSplitter((line) => this.#hear(line), {
      maxBytes: MAX_SERIAL_LINE_BYTES,
      onOverlong: () => environment.log.warn({ thing: thing.id, bytes: MAX_SERIAL_LINE_BYTES }, 'serial line too long; dropped'),
    });
  }

  /** Tries the port once and then stays with it: a missing one is plugged in later. */
  async start(): Promise<void> {
    const first = Promise.withResolvers<void>();
    this.#running = this.#run(first.resolve);
    await first.promise;
  }

  async read(): Promise<ReadonlyMap<string, Value | Error>> {
    return new Map();
  }

  async write(key: string, value: Value, signal: AbortSignal): Promise<Value> {
    const property = this.#properties.get(key);
    const template = property?.source.write;
    if (!property || template === undefined) throw new Problem('command-rejected', `${key} has no write in its source; it cannot be set`);
    signal.throwIfAborted();
    const { text } = render(template, fromValue(value, property.config, property.source));
    if (CONTROL.test(text)) throw new Problem('command-rejected', `${shown(text)} is no single line; it was not sent`);
    if (!this.#port) throw new Problem('command-rejected', `${this.#options.path} is not connected; ${key} cannot be set now`);
    await this.#port.write(Buffer.from(text + LINE_ENDS[this.#options.lineEnd]));
    return value;
  }

  awaits(key: string): string | undefined {
    const property = this.#properties.get(key);
    if (!property || this.#onlyWritten(property.source)) return undefined;
    return `line with ${this.#fieldOf(property)} (${this.#options.format}) from ${this.#options.path}`;
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#port?.close();
    await this.#running;
    this.#giveBack();
    this.#giveBack = () => {}; // closed twice, it may be another's by then
  }

  async #run(tried: () => void): Promise<void> {
    const { clock } = this.#environment;
    const backoff = createBackoff();
    while (!this.#stopped.signal.aborted) {
      const problem = await this.#useOnce(tried, () => backoff.reset());
      if (this.#stopped.signal.aborted) break;
      this.#tellAway(problem);
      tried();
      await clock.sleep(backoff.next(), this.#stopped.signal).catch(() => {});
    }
    tried();
  }

  /** Opens the port and stays until it is gone. Returns why. */
  async #useOnce(tried: () => void, opened: () => void): Promise<Error> {
    const { path, baud } = this.#options;
    try {
      this.#lines.reset();
      const port = await this.#openPort(path, baud, (bytes) => {
        if (!this.#stopped.signal.aborted) this.#lines.push(bytes);
      });
      this.#port = port;
      if (this.#stopped.signal.aborted) await port.close();
      else if (this.#away) this.#sink.state('ready');
      this.#away = false;
      opened();
      tried();
      await port.gone;
      return new Problem('sensor-failed', `${path} was unplugged`);
    } catch (error) {
      return asError(error);
    } finally {
      this.#port = undefined;
    }
  }

  #tellAway(problem: Error): void {
    if (this.#away) return;
    this.#away = true;
    this.#environment.log.warn({ path: this.#options.path, error: problem.message }, 'serial port is away; it is looked for');
    this.#sink.state('disconnected');
    for (const key of this.#properties.keys()) this.#sink.fault(key, problem);
  }

  #hear(line: string): void {
    let fieldOf: (field: Field) => unknown;
    try {
      fieldOf = this.#read(line);
    } catch (error) {
      for (const key of this.#properties.keys()) this.#sink.fault(key, asError(error));
      return;
    }
    this.#lineCount++;
    for (const property of this.#properties.values()) this.#hearProperty(property, fieldOf, line);
  }

  #hearProperty({ key, config, source }: DriverProperty<Source>, fieldOf: (field: Field) => unknown, line: string): void {
    const field = this.#fieldOf({ key, source });
    const raw = fieldOf(field);
    if (raw === undefined || raw === null) {
      if (this.#lineCount === LINES_BEFORE_FAULT && !this.#heard.has(key) && !this.#onlyWritten(source)) {
        const last = `the last of ${LINES_BEFORE_FAULT} lines was ${shown(line)}`;
        this.#sink.fault(key, new Problem('sensor-failed', `No line has the field ${field} (${this.#options.format}); ${last}`));
      }
      return;
    }
    try {
      this.#sink.value(key, toValue(raw, config, source));
      this.#heard.add(key);
    } catch (error) {
      this.#sink.fault(key, asError(error));
    }
  }

  #fieldOf({ key, source }: Pick<DriverProperty<Source>, 'key' | 'source'>): Field {
    return source.value ?? DEFAULT_FIELD[this.#options.format](key);
  }

  /** A property that is set and never told back. */
  #onlyWritten = ({ value, write }: Source) => write !== undefined && value === undefined;
}

/** Ports by names that stay the same where there are such, else by those of the kernel. */
async function portPaths(root: string): Promise<string[]> {
  const stable = ((await list(root, 'dev/serial/by-id')) ?? []).map((name) => `/dev/serial/by-id/${name}`);
  const devices = (await list(root, 'dev')) ?? [];
  const plugged = devices.filter((name) => /^(?:ttyUSB\d+|ttyACM\d+|cu\.usb.+)$/.test(name)).map((name) => `/dev/${name}`);
  const header = devices.filter((name) => name === 'serial0').map((name) => `/dev/${name}`);
  return [...(stable.length > 0 ? stable : plugged), ...header].filter((path) => PORT_PATH.test(path));
}

/** What a device at a port says is not known before it is listened to: the first number of its lines is a start. */
const found = async ({ root }: DriverEnvironment): Promise<Suggestion[]> =>
  (await portPaths(root)).map((path) =>
    suggestion(path, {
      name: 'Serial device',
      driver: 'serial',
      options: { path, baud: 9600, format: 'regex', pattern: '(-?\\d+(?:\\.\\d+)?)' },
      properties: { value: { datatype: 'float' } },
    }),
  );

/**
 * The driver, on the machine's ports or on others with their shape.
 * @param portsOf how ports are opened, for an environment
 */
export function serialDriver(
  portsOf: (environment: DriverEnvironment) => OpenSerialPort = ({ processes }) => ttyPorts(processes),
  platform: NodeJS.Platform = process.platform,
): Driver<typeof optionsSchema, typeof sourceSchema> {
  const unavailable = async () =>
    platform === 'win32'
      ? 'Serial things need a POSIX terminal and stty; Windows has neither, so use a Raspberry Pi, Linux or a Mac'
      : undefined;
  /** Which thing reads a port: two would take each other's bytes. */
  const claims = new Map<string, string>();
  const claim = async (path: string, thing: string) => {
    const port = await realpath(path).catch(() => path); // names in /dev/serial are links
    const owner = claims.get(port);
    if (owner !== undefined) throw new Problem('thing-invalid', `${path} is used by the thing ${owner} already`);
    claims.set(port, thing);
    return () => void claims.delete(port);
  };
  return defineDriver({
    name: 'serial',
    summary: 'devices at a serial or USB port that speak lines: Arduino, meters, modems',
    example: `name: Greenhouse
driver: serial
options: { path: /dev/serial/by-id/usb-Arduino_Uno-if00, baud: 115200, format: keyvalue }
properties:
  temp: { datatype: float, unit: °C }
  humidity: { datatype: float, unit: '%', source: { value: hum } }
  window:
    datatype: boolean
    settable: true
    source: { value: win, on: open, off: closed, write: 'window {value}' }
`,
    template: `name: Serial device
driver: serial
options:
  path: /dev/ttyUSB0      # its name in /dev/serial/by-id/ stays the same after a restart
  baud: 9600
  format: keyvalue        # lines such as temp=21.5 hum=40; also json, csv (columns from 1) and regex (groups)
properties:
  temperature: { datatype: float, unit: °C, source: { value: temp } }
`,
    found,
    options: optionsSchema,
    source: sourceSchema,
    unavailable,
    async open(thing, sink, environment) {
      const why = await unavailable();
      if (why) throw new Problem('driver-unavailable', why);
      const giveBack = await claim(thing.options.path, thing.id);
      const open = new SerialThing(thing, sink, environment, portsOf(environment), giveBack);
      await open.start();
      return open;
    },
  });
}

/** Line-speaking devices at serial ports. */
export const serial = serialDriver();
