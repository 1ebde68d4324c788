import type { AccessRule, ServiceView } from '@ledge/contract';
import { until } from '@ledge/testing';
import type { Answer, Appliance, ServiceName } from './appliance.ts';

/** What is the same for every appliance, as all of it goes through its API. */
export abstract class HttpAppliance implements Appliance {
  abstract readonly url: string;
  abstract readonly mqttPort: number;
  abstract readonly dataDir: string;
  abstract readonly log: readonly string[];
  abstract readonly slowness: number;
  edge = '';
  token = '';

  /** Chooses the admin password where there is none yet, signs in, and makes a token. */
  async signIn(password: string): Promise<void> {
    const health = await until('the server', async () => {
      const answer = await this.api<{ edge: string; setupNeeded: boolean }>('GET', '/api/server/health');
      return answer.status === 200 && answer.body;
    });
    this.edge = health.edge;
    const json = { 'content-type': 'application/json' };
    if (health.setupNeeded) {
      const body = JSON.stringify({ password });
      await fetch(`${this.url}/api/server/setup`, { method: 'POST', headers: json, body });
    }
    const body = JSON.stringify({ name: 'admin', password });
    const login = await fetch(`${this.url}/api/server/login`, { method: 'POST', headers: json, body });
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const made = await this.api<{ token: string }>(
      'POST',
      '/api/server/tokens',
      { name: 'acceptance', role: 'admin', expiresInDays: 1 },
      { cookie, origin: this.url },
    );
    if (made.status !== 200) throw new Error(`no token: ${JSON.stringify(made)}`);
    this.token = made.body.token;
  }

  async api<T = unknown>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.token && !headers.cookie ? { authorization: `Bearer ${this.token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, body: (isJson ? JSON.parse(text) : text) as T };
  }

  async services(): Promise<ServiceView[]> {
    return (await this.api<ServiceView[]>('GET', '/api/server/services')).body;
  }

  async pidOf(service: ServiceName): Promise<number> {
    return await until(`a process of ${service}`, async () => (await this.services()).find((view) => view.name === service)?.pid);
  }

  async kill(service: ServiceName): Promise<void> {
    await this.killProcess(await this.pidOf(service));
  }

  async stopService(service: ServiceName): Promise<void> {
    await this.#control(service, 'stop');
  }

  async startService(service: ServiceName): Promise<void> {
    await this.#control(service, 'start');
  }

  async #control(service: ServiceName, verb: string): Promise<void> {
    const { status, body } = await this.api('POST', `/api/server/services/${service}/${verb}`);
    if (status !== 200) throw new Error(`${service} did not ${verb}: ${JSON.stringify(body)}`);
  }

  async addMqttUser(name: string, password: string, rules: AccessRule[]): Promise<void> {
    const { status, body } = await this.api('POST', '/api/broker/users', { name, password, rules });
    if (status !== 200) throw new Error(`user ${name} was not made: ${JSON.stringify(body)}`);
  }

  abstract dropThing(name: string, yaml: string): Promise<number>;
  abstract killProcess(pid: number): Promise<void>;
  abstract childOf(pid: number, program: string): Promise<number | undefined>;
  abstract stop(): Promise<void>;
}
