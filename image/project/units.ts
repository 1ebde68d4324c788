import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_FOLDER } from '@ledge/host/linux/image-facts.ts';
import { heapLimitMb } from '@ledge/supervisor';

const root = join(import.meta.dirname, '..', '..');

/** What the card must know of a project: the part of its `project.json` that units are made of. */
export interface ProjectParts {
  name: string;
  version: string;
  services: readonly { name: string; module: string; memoryLimitMb: number }[];
  /** The device service with the project's drivers in it; it stands in for ours. */
  device?: { module: string } | undefined;
}

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
 * @throws Error when two services would have users of one number
 */
export function projectUnits(project: ProjectParts): Record<string, string> {
  const names = project.services.map(({ name }) => name);
  checkNumbers(names);
  const texts: Record<string, string> = {
    // of every service, as each reads the project's settings
    [`${UNITS}/ledge-.service.d/50-project.conf`]: lines('[Service]', `Environment=EDGE_PROJECT=${PROJECT_FOLDER}`),
  };
  const inCommon = ofOurs('ledge-service.conf');
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
    const [, ours = ''] = /^ExecStart=(.*)$/m.exec(ofOurs('ledge-device.service')) ?? [];
    texts[`${UNITS}/ledge-device.service.d/60-project.conf`] = lines(
      '# with the drivers of the project in it',
      '[Service]',
      'ExecStart=',
      `ExecStart=${ours.replace(/\S+$/, `${PROJECT_FOLDER}/${project.device.module}`)}`,
    );
  }
  return texts;
}

/** A file of `system/units`. */
const ofOurs = (name: string) => readFileSync(join(root, 'system', 'units', name), 'utf8');
const lines = (...all: string[]) => `${all.join('\n')}\n`;

const unitText = ({ name, module, memoryLimitMb }: ProjectParts['services'][number], project: ProjectParts) => `[Unit]
Description=Ledge ${name}: of the project ${project.name} ${project.version}
After=ledge-broker.service ledge-crash.service

[Service]
User=ledge-${name}
Environment=EDGE_SERVICE=${name}
ExecStart=/usr/bin/node --max-old-space-size=${heapLimitMb(memoryLimitMb)} --max-semi-space-size=2 ${PROJECT_FOLDER}/${module}
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

/** Which names a service may have is the kit's to say (`serviceNameFault`); that two have one number, only the card minds. */
function checkNumbers(names: readonly string[]): void {
  const byId = new Map<number, string>();
  for (const name of names) {
    const id = userIdOf(name);
    const other = byId.get(id);
    if (other)
      throw new Error(`The services ${other} and ${name} would have users of the same number on the card, ${id}. Rename one of them.`);
    byId.set(id, name);
  }
}
