import { hostname } from 'node:os';
import { healthSchema, Problem, type ServiceRecord, serviceRecordSchema } from '@ledge/contract';
import { parseAddress } from './address.ts';
import { getText } from './ask.ts';
import { type BusOptions, readRetained } from './bus.ts';
import { tryLock } from './lock.ts';
import type { DataDir } from './paths.ts';
import type { Bus, Clock, Logger, Message } from './ports.ts';

const ANSWER_WITHIN_MS = 1000;

/**
 * Holds the name among all processes that share this data directory.
 * @throws Problem `already-running`, saying which process has it
 */
export function lockName(name: string, data: DataDir): { release(): void } {
  const lock = tryLock(data.lockFile(name), `process ${process.pid} on ${hostname()}`);
  if ('release' in lock) return lock;
  throw new Problem('already-running', `${name} is already running: ${lock.holder} has it, with the data in ${data.root}; stop it first`);
}

/** Of two that claim one name, the one that started first keeps it. */
const isElder = (one: ServiceRecord, other: ServiceRecord) =>
  one.startedAt === other.startedAt ? one.instance < other.instance : one.startedAt < other.startedAt;

const taken = ({ name, address, startedAt }: ServiceRecord) =>
  new Problem(
    'already-running',
    `${name} is already running at ${address} since ${startedAt}; stop it first, or give this service another name`,
  );

/**
 * Asks the bus, before anything is said in its name, whether somebody else is this service: one who shares no folder with us. Where the broker is away,
 * {@link NameWatch} finds out later.
 * @throws Problem `already-running`
 */
export async function checkNameOnBus(topic: string, options: BusOptions): Promise<void> {
  const payload = await readRetained(options, topic);
  const other = payload && readRecord(payload);
  if (other && other.state !== 'disconnected' && (await isAlive(other, options.clock))) throw taken(other);
}

export interface NameWatchPorts {
  mine: ServiceRecord;
  topic: string;
  bus: Bus;
  clock: Clock;
  log: Logger;
  /** Another process is this service, and was before us. */
  refuse(problem: Problem): void;
}

/**
 * Keeps the record of this service on the bus ours. The will of a process that we follow may come after our own word and is answered by saying it again;
 * so is the word of one that came later, which gives way when it hears that we live. Hearing so of an elder one, we give way.
 */
export class NameWatch {
  readonly #ports: NameWatchPorts;
  #stopped = false;

  constructor(ports: NameWatchPorts) {
    this.#ports = ports;
  }

  /** Before the bus connects. */
  async start(): Promise<void> {
    const { bus, topic } = this.#ports;
    // QoS 0: a broker that keeps a session must not hand over what was said while nobody of this name was there
    await bus.subscribe(topic, (message) => this.#hear(message), { qos: 0 });
  }

  /** From here on others may say what they like. */
  stop(): void {
    this.#stopped = true;
  }

  #hear({ payload, retained }: Message): void {
    if (this.#stopped) return;
    const { mine, log } = this.#ports;
    const record = readRecord(payload);
    const isMine = record?.instance === mine.instance;
    if (isMine && record.state === mine.state) return;
    if (!record || isMine || record.state !== 'ready') {
      if (!retained) this.#sayAgain(); // what was retained before we spoke is replaced by our own word
    } else if (isElder(mine, record)) {
      if (retained) return;
      log.warn({ other: record.address }, 'another process claims the name of this service, and is refused');
      this.#sayAgain();
    } else if (retained) void this.#ask(record);
    else this.#refuse(record); // just said, so it lives
  }

  #sayAgain(): void {
    const { bus, topic, mine } = this.#ports;
    bus.retain(topic, mine);
  }

  /** Somebody said this before we were connected; he may be dead. */
  async #ask(record: ServiceRecord): Promise<void> {
    const { mine, clock } = this.#ports;
    if (record.address !== mine.address && (await isAlive(record, clock)) && !this.#stopped) this.#refuse(record);
  }

  #refuse(record: ServiceRecord): void {
    this.#stopped = true;
    this.#ports.refuse(taken(record));
  }
}

function readRecord(payload: Buffer): ServiceRecord | undefined {
  try {
    return serviceRecordSchema.safeParse(JSON.parse(payload.toString())).data;
  } catch {
    return undefined;
  }
}

/** Does this very process answer at its address? */
async function isAlive({ address, instance }: ServiceRecord, clock: Clock): Promise<boolean> {
  const target = parseAddress(address);
  if (!target) return false;
  try {
    const health = healthSchema.parse(JSON.parse(await getText(clock, { target, path: '/health', withinMs: ANSWER_WITHIN_MS })));
    return (health.instance ?? instance) === instance;
  } catch {
    return false;
  }
}
