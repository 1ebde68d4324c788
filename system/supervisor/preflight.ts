import { Problem } from '@ledge/contract';
import { isPortFree, portOwner } from '@ledge/host';
import {
  type DataDir,
  DEFAULT_PORTS,
  type Environment,
  environmentName,
  KNOWN_ENVIRONMENT,
  listenerSchema,
  peekSettings,
  projectOf,
  sectionsOf,
} from '@ledge/kit';
import type { ServicePlan } from './services.ts';

/** Sections of ledge.yaml and `EDGE_` variables that nobody would read are mistakes: better told now than looked for later. */
export function checkNames(data: DataDir, environment: Environment, plans: readonly ServicePlan[]): void {
  const names = plans.map((plan) => plan.name);
  const project = projectOf(environment);
  for (const file of project ? [project.configFile, data.configFile] : [data.configFile]) {
    const stranger = sectionsOf(file).find(({ name }) => name !== 'edge' && !names.includes(name));
    if (!stranger) continue;
    throw new Problem(
      'config-invalid',
      `${file}:${stranger.line}: there is no section ${stranger.name}; known are edge, ${names.join(', ')}`,
    );
  }
  const prefixes = names.map((name) => environmentName(name, ''));
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('EDGE_') || KNOWN_ENVIRONMENT.has(name) || prefixes.some((prefix) => name.startsWith(prefix))) continue;
    throw new Problem('config-invalid', `${name} is set, but nothing reads it; see ./build.sh start --help`);
  }
}

/**
 * Are the ports that people reach us by free?
 * @throws Problem `port-taken`, saying which port, who has it, and how to choose another.
 */
export async function checkPorts(
  data: DataDir,
  environment: Environment,
): Promise<{ http: { host: string; port: number }; mqtt: { host: string; port: number } }> {
  const mqtt = peekSettings('broker', listenerSchema(DEFAULT_PORTS.broker), data, environment);
  const http = peekSettings('server', listenerSchema(DEFAULT_PORTS.server), data, environment);
  for (const [what, option, { host, port }] of [
    ['The MQTT port', '--mqtt-port', mqtt],
    ['The web port', '--http-port', http],
  ] as const) {
    if (await isPortFree(port, host)) continue;
    const owner = (await portOwner(port)) ?? 'another program';
    throw new Problem('port-taken', `${what} ${port} is in use by ${owner}; choose another with ${option}`);
  }
  return { http, mqtt };
}
