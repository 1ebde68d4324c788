import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bundle.ts';

const template = join(import.meta.dirname, 'template');
/** The service and the driver of the tutorial: what is explained there is what a project begins with. */
const TUTORIAL = { page: join(root, 'system', 'sdk', 'README.md'), service: 'airing', driver: 'wifi-signal' };

export interface Wanted {
  /** Of the project: lower-case letters, digits and hyphens. */
  name: string;
  service: string;
  driver: string | undefined;
}

/** Blocks of code of the tutorial, by the file that the first line of each names. */
function tutorialFiles(): Map<string, string> {
  const blocks = readFileSync(TUTORIAL.page, 'utf8').matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm);
  return new Map([...blocks].map(([, file = '', code = '']) => [file, code]));
}

/** Of letters, digits and underscores, as metrics are named. */
const snake = (name: string) => name.replaceAll('-', '_').replace(/^(?=\d)/, '_');

const asService = (code: string, name: string) =>
  code
    .replaceAll(`${TUTORIAL.service}_`, `${snake(name)}_`)
    .replaceAll(`'${TUTORIAL.service}'`, `'${name}'`)
    .replace(`import ${TUTORIAL.service} from`, 'import definition from')
    .replaceAll(`testService(${TUTORIAL.service}`, 'testService(definition');

/** Every file of a new project, by its path. */
export function projectFiles({ name, service, driver }: Wanted): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(template, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = file.slice(template.length + 1).replaceAll('\\', '/');
    const text = readFileSync(file, 'utf8').replaceAll('{{name}}', name).replaceAll('{{service}}', service);
    // npm leaves out of packages what .gitignore is called
    files.set(path === 'gitignore' ? '.gitignore' : path, text);
  }
  files.set('package.json', `${JSON.stringify({ name, version: '0.1.0', private: true, type: 'module' }, null, 2)}\n`);
  for (const [path, code] of tutorialFiles()) {
    if (path.startsWith('services/')) files.set(path.replace(TUTORIAL.service, service), asService(code, service));
    else if (driver) files.set(path.replace(TUTORIAL.driver, driver), code.replaceAll(TUTORIAL.driver, driver));
  }
  if (driver) {
    const example = /example: `([^`]+)`/.exec(files.get(`drivers/${driver}.ts`) ?? '')?.[1] ?? '';
    files.set(`things/${driver}.yaml`, `# Off until you say so: not every machine has what it reads.\nenabled: false\n${example}`);
  }
  return files;
}
