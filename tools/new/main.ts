/** `./build.sh new`: a project to start from. */
import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { Problem, shown } from '@ledge/contract';
import { EXIT_CONFIG, serviceNameFault } from '@ledge/kit';
import { plainName } from '../../image/project/names.ts';
import { root } from '../bundle.ts';
import { driverNameFault } from '../project.ts';
import { projectFiles } from './files.ts';

const USAGE = `Usage: ./build.sh new DIR [--service NAME] [--driver NAME]

Makes a project of your own in DIR, beside the framework and not in it: a service, a thing, tests that pass, a compose file.
  --service NAME   what its service is called (default: airing, as in the tutorial in system/sdk/README.md)
  --driver NAME    with a driver of that name, too

Then: cd DIR && ./build.sh start`;
const THING = 'greenhouse';

const mistake = (sentence: string) => new Problem('config-invalid', sentence);

/** The folder's real path, as far as it is there. */
function real(path: string): string {
  return existsSync(path) ? realpathSync(path) : join(real(dirname(path)), basename(path));
}

/**
 * Makes a project.
 * @throws Problem `config-invalid` for a folder that is in use or inside the framework, and for names that cannot be
 */
export function makeProject(path: string, { service = 'airing', driver }: { service?: string; driver?: string | undefined }): string {
  const dir = real(resolve(path));
  if (dir === root || dir.startsWith(root + sep))
    throw mistake(`${dir} is inside the framework; a folder outside of it is wanted, such as ../${basename(dir)}`);
  if (existsSync(dir) && readdirSync(dir).length > 0) throw mistake(`${dir} is not empty; a new folder is wanted`);
  const fault = serviceNameFault(service);
  if (fault) throw mistake(`--service is ${shown(service)}; ${fault}`);
  const driverFault =
    driver === undefined
      ? undefined
      : driver === THING
        ? 'the project has a thing of that name; another one is wanted'
        : driverNameFault(driver);
  if (driverFault) throw mistake(`--driver is ${shown(driver)}; ${driverFault}`);
  const name = plainName(basename(dir)) || 'project';
  for (const [file, text] of projectFiles({ name, service, driver })) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  }
  chmodSync(join(dir, 'build.sh'), 0o755);
  symlinkSync(root, join(dir, 'ledge'), 'junction');
  return dir;
}

function run(): void {
  const { values, positionals } = parseArgs({
    options: { service: { type: 'string' }, driver: { type: 'string' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const [path, more] = positionals;
  if (path === undefined || more !== undefined) throw mistake(`one folder is wanted\n\n${USAGE}`);
  const dir = makeProject(path, values);
  const shortest = [relative(process.cwd(), dir), dir].sort((a, b) => a.length - b.length)[0];
  console.log(`${dir} is a project now:

  cd ${shortest}
  ./build.sh start     everything, at http://localhost:8080
  ./build.sh test      its tests`);
}

if (import.meta.main) {
  try {
    run();
  } catch (error) {
    const isTold = error instanceof Problem || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
    if (!isTold) throw error;
    console.error(`ledge: ${(error as Error).message}`);
    process.exit(EXIT_CONFIG);
  }
}
