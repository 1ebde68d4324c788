import { isAbsolute, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Problem, shown } from '@ledge/contract';
import { defaultDataDir } from '@ledge/kit';

export const USAGE = `Usage: ./build.sh start [--project DIR] [--data DIR] [--http-port N] [--mqtt-port N] [--host ADDR]

  --project DIR    run a project of your own, too: its services, drivers and things, each taken anew when you change it
  --data DIR       where everything is kept (default: data/ in the project; without one ${defaultDataDir()})
  --http-port N    port of the web page and API (default: 8080)
  --mqtt-port N    port of the MQTT broker (default: 1883)
  --host ADDR      address to listen on; 0.0.0.0 is the whole network (default: 127.0.0.1, this machine only)
  --help           this text

Every setting can also stand in <data>/ledge.yaml or in the environment (EDGE_...).
The first page asks for the admin password; EDGE_ADMIN_PASSWORD sets it without asking.`;

function port(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 65535)
    throw new Problem('config-invalid', `--${name} is ${shown(text)}; a port from 1 to 65535 is wanted`);
  return text;
}

/** Command line to environment: what the services read. `help` asks for {@link USAGE}. */
export function optionsToEnvironment(args: readonly string[], cwd: string): { help: boolean; environment: Record<string, string> } {
  let values: { data?: string; 'http-port'?: string; 'mqtt-port'?: string; host?: string; help?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        'http-port': { type: 'string' },
        'mqtt-port': { type: 'string' },
        host: { type: 'string' },
        help: { type: 'boolean' },
      },
    }));
  } catch (cause) {
    throw new Problem('config-invalid', `${(cause as Error).message.split('.')[0]}; --help lists what is known`, { cause });
  }
  const given = {
    EDGE_DATA: values.data === undefined ? undefined : isAbsolute(values.data) ? values.data : resolve(cwd, values.data),
    EDGE_HTTP_PORT: port('http-port', values['http-port']),
    EDGE_MQTT_PORT: port('mqtt-port', values['mqtt-port']),
    EDGE_HOST: values.host,
  };
  const environment = Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return { help: values.help === true, environment };
}
