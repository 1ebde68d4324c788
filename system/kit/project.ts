import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Problem, shown } from '@ledge/contract';
import { z } from 'zod';
import { EXIT_CONFIG } from './exit.ts';
import { createLogger } from './log.ts';
import { main } from './main.ts';
import { serviceNameFault } from './names.ts';
import type { Environment } from './paths.ts';
import type { ServiceDefinition } from './service.ts';

/** The list of what a built project holds, in its folder. */
export const PROJECT_FILE = 'project.json';
const moduleSchema = z.object({
  /** File name in the built folder. */
  module: z.string().regex(/^[a-z0-9-]+\.mjs$/),
  /** Of that file, hexadecimal: another one means another program. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** Content of `project.json`: what `./build.sh` made of a project. */
export const projectSchema = z.object({
  name: z.string().min(1),
  version: z.string().min(1),
  services: z.array(moduleSchema.extend({ name: z.string(), memoryLimitMb: z.int().min(16) })),
  /** Names of the project's own drivers; they are in `device`. */
  drivers: z.array(z.string()),
  /** Our device service with the project's drivers in it, which stands in for ours. */
  device: moduleSchema.optional(),
});
export type ProjectManifest = z.infer<typeof projectSchema>;

/** A built project. Paths are absolute. */
export interface BuiltProject extends ProjectManifest {
  readonly dir: string;
  /** Thing files that every box of this project starts with; the folder may be missing. */
  readonly thingsDir: string;
  /** Settings that every box of this project starts with; the file may be missing. */
  readonly configFile: string;
}

/** @throws Problem `config-invalid` when there is none, or its list cannot be read */
export function readBuiltProject(dir: string): BuiltProject {
  const root = resolve(dir);
  const file = join(root, PROJECT_FILE);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : `cannot be read: ${(cause as Error).message}`;
    throw new Problem('config-invalid', `${file} ${why}; a built project is wanted`, { cause });
  }
  const result = projectSchema.safeParse(content);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new Problem('config-invalid', `${file}: ${issue?.path.join('.')}: ${issue?.message}; build the project again`, {
      cause: result.error,
    });
  }
  const wrong = result.data.services.map(({ name }) => [name, serviceNameFault(name)]).find(([, fault]) => fault);
  if (wrong) throw new Problem('config-invalid', `${file}: a service is called ${shown(wrong[0])}; ${wrong[1]}`);
  return { ...result.data, dir: root, thingsDir: join(root, 'things'), configFile: join(root, 'ledge.yaml') };
}

/** The project that this box runs, by `EDGE_PROJECT`; undefined without one. @throws Problem `config-invalid` */
export const projectOf = (environment: Environment): BuiltProject | undefined =>
  environment.EDGE_PROJECT ? readBuiltProject(environment.EDGE_PROJECT) : undefined;

const isService = (value: unknown): value is ServiceDefinition<z.ZodObject> =>
  typeof value === 'object' && value !== null && typeof (value as { name?: unknown }).name === 'string' && 'start' in value;

/**
 * The whole program of a project's service, as {@link main} is for ours.
 * @param folder the service's folder, which is also its name
 * @param service what its `service.ts` exports as default
 */
export async function mainOfProject(folder: string, service: unknown): Promise<void> {
  const file = `services/${folder}/service.ts`;
  const fault = !isService(service)
    ? `${file} exports ${shown(service)} as default; defineService({ … }) is wanted`
    : service.name === folder
      ? undefined
      : `${file} says that its name is ${shown(service.name)}; ${shown(folder)}, the name of its folder, is wanted`;
  if (isService(service) && fault === undefined) return await main(service);
  createLogger(folder, process.env).fatal(fault);
  process.exit(EXIT_CONFIG);
}
