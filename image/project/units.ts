import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OUR_SERVICES } from '@ledge/supervisor';

const root = join(import.meta.dirname, '..', '..');

/** Where a built project lies on the card, as `EDGE_PROJECT` says there. */
export const PROJECT_FOLDER = '/usr/lib/ledge/project';

/** What the card must know of a project: the part of its `project.json` that units are made of. */
export interface ProjectParts {
  name: string;
  version: string;
  services: readonly { name: string; module: string; memoryLimitMb: number }[];
  /** The device service with the project's drivers in it; it stands in for ours. */
  device?: { module: string } | undefined;
}

/** sysusers.d(5): names have at most 31 characters, and ours begin with `ledge-`. */
const MOST_CHARACTERS = 25;

/**
 * The number of the user `ledge-<name>`. Files on the data partition outlive the system that wrote them, so it comes from the name alone:
 * whatever services a later version of the project has, each keeps its number. Nobody else takes numbers from this range.
 */
export const userIdOf = (service: string): number => FIRST_ID + (createHash('sha256').update(service).digest().readUInt32BE(0) % IDS);
const FIRST_ID = 20_000;
const IDS = 40_000;

const UNITS = 'usr/lib/systemd/system';

/**
 * Units, users and folders for the services of a project, made as ours are: `system/units` and `overlays/rpi` say why.
 * @returns texts by their path in the root
 * @throws Error that names a service which cannot be on a card
 */
export function projectUnits(project: ProjectParts): Record<string, string> {
  const names = project.services.map(({ name }) => name);
  checkNames(names);
  const texts: Record<string, string> = {
    // of every service, as each reads the project's settings
    [`${UNITS}/ledge-.service.d/50-project.conf`]: lines('[Service]', `Environment=EDGE_PROJECT=${PROJECT_FOLDER}`),
  };
  const inCommon = readFileSync(join(root, 'system', 'units', 'ledge-service.conf'), 'utf8');
  for (const service of project.services) {
    const unit = `${UNITS}/ledge-${service.name}.service`;
    texts[unit] = unitText(service, project);
    texts[`${unit}.d/50-service.conf`] = inCommon;
  }
  if (names.length > 0) {
    const wanted = names.map((name) => `ledge-${name}.service`).join(' ');
    texts[`${UNITS}/ledge.target.d/50-project.conf`] = lines('[Unit]', `Wants=${wanted}`);
    texts['usr/lib/sysusers.d/ledge-project.conf'] = lines(
      ...names.flatMap((name) => [
        `u ledge-${name} ${userIdOf(name)} "Ledge ${name}" /var/lib/ledge/${name}`,
        `m ledge-${name} ledge`,
        `m ledge ledge-${name}`,
      ]),
    );
    texts['usr/lib/tmpfiles.d/ledge-project.conf'] = lines(
      ...names.map((name) => `d /var/lib/ledge/${name} 0700 ledge-${name} ledge-${name}`),
    );
  }
  if (project.device) {
    const { memoryLimitMb } = OUR_SERVICES.find(({ name }) => name === 'device') ?? { memoryLimitMb: 192 };
    texts[`${UNITS}/ledge-device.service.d/60-project.conf`] = lines(
      '# with the drivers of the project in it',
      '[Service]',
      'ExecStart=',
      `ExecStart=${command(memoryLimitMb, project.device.module)}`,
    );
  }
  return texts;
}

const lines = (...all: string[]) => `${all.join('\n')}\n`;

/** As the supervisor starts services elsewhere: six tenths of the memory are for V8's old space. */
const command = (memoryLimitMb: number, module: string) =>
  `/usr/bin/node --max-old-space-size=${Math.round(memoryLimitMb * 0.6)} --max-semi-space-size=2 ${PROJECT_FOLDER}/${module}`;

const unitText = ({ name, module, memoryLimitMb }: ProjectParts['services'][number], project: ProjectParts) => `[Unit]
Description=Ledge ${name}: of the project ${project.name} ${project.version}
After=ledge-broker.service ledge-crash.service

[Service]
User=ledge-${name}
Environment=EDGE_SERVICE=${name}
ExecStart=${command(memoryLimitMb, module)}
MemoryHigh=${Math.round((memoryLimitMb * 15) / 16)}M
MemoryMax=${memoryLimitMb}M
CPUWeight=100
IOWeight=50
TasksMax=64
# before what every box needs, after sound
OOMScoreAdjust=200

PrivateDevices=yes
ProtectHostname=yes
UMask=0077
ReadWritePaths=/var/lib/ledge/${name}
`;

/** A service may take no unit, user or folder that the card has already. */
function checkNames(names: readonly string[]): void {
  const overlay = join(root, 'overlays', 'rpi', 'usr', 'lib');
  const units = readdirSync(join(root, 'system', 'units')).map((file) => file.replace(/\.[a-z]+$/, ''));
  const users = [...readFileSync(join(overlay, 'sysusers.d', 'ledge.conf'), 'utf8').matchAll(/^u\s+(\S+)/gm)].map(([, user]) => user);
  const folders = [...readFileSync(join(overlay, 'tmpfiles.d', 'ledge.conf'), 'utf8').matchAll(/^d\s+(\S+)/gm)].map(([, path]) => path);
  const byId = new Map<number, string>();
  for (const name of names) {
    const refuse = (why: string): never => {
      throw new Error(`The service ${name} cannot be on a card: ${why}. Rename it.`);
    };
    if (name.length > MOST_CHARACTERS) refuse(`its name has ${name.length} characters, and ${MOST_CHARACTERS} are the most`);
    if (units.includes(`ledge-${name}`)) refuse(`a unit ledge-${name} is there already`);
    if (users.includes(`ledge-${name}`)) refuse(`a user ledge-${name} is there already`);
    if (folders.includes(`/var/lib/ledge/${name}`)) refuse(`the folder ${name} of the box's data is for something else`);
    const other = byId.get(userIdOf(name));
    if (other) refuse(`its user would have the number of ${other}'s, ${userIdOf(name)}`);
    byId.set(userIdOf(name), name);
  }
}
