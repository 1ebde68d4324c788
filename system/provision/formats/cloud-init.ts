import type { Source } from '../source.ts';
import { isTaken } from '../source.ts';
import { countrySchema, hostnameSchema, sshKeySchema, timezoneSchema } from '../values.ts';
import { emptyReading, type Reading } from '../wishes.ts';
import { isRecord, type Path, type Plain, take, Yaml } from '../yaml.ts';

/** Keys of users and of the file itself that hold secrets of Linux accounts. Ledge has no password logins and needs none of them. */
const SECRET_KEYS = ['passwd', 'hashed_passwd', 'plain_text_passwd', 'password'];
/** What Raspberry Pi Imager always writes, and what an appliance does by itself. */
const SILENT_KEYS = [
  'manage_etc_hosts',
  'manage_resolv_conf',
  'preserve_hostname',
  'enable_ssh',
  'packages',
  'apt',
  'ssh_pwauth',
  'package_update',
  'locale',
];
const WHY_UNUSED: Record<string, string> = {
  keyboard: 'the keyboard layout is not used: nothing is typed at the box itself',
  chpasswd: 'Ledge has no password logins; give an SSH key',
  password: 'Ledge has no password logins; give an SSH key',
  rpi: 'interfaces of the Raspberry Pi are set in config.txt on this card, not here',
  write_files: 'files are not written',
  bootcmd: 'commands are not run',
};

/** Commands of Raspberry Pi Imager that have nothing to do on an appliance: SSH, sudo and radio are taken care of. */
const NEEDLESS_COMMANDS =
  /^(systemctl enable|rfkill unblock|localectl |setupcon|sleep \d|rm -f \/etc\/xdg\/|chmod '?0440|chmod 0440)|NOPASSWD:ALL|\/rfkill\/\*:wlan/;
/** Imager 1.x sets the country of Ubuntu this way. */
const COUNTRY_COMMAND = /REGDOMAIN=([A-Z]{2})\//;
/** Raspberry Pi Connect: the command that writes its token down. */
const CONNECT_COMMAND =
  /rpi-connect|com\.raspberrypi\.connect|loginctl enable-linger|systemd\/linger|\.config\/systemd|systemctl --quiet --user/;

/** Reads cloud-init's `user-data` as far as Raspberry Pi Imager and people write it for one box. */
export function readUserData(source: Source, zoneinfo: string): Reading {
  const reading = emptyReading();
  const wrong = (message: string) => reading.notes.push({ kind: 'mistake', file: source.file, line: 1, message });
  const [first = ''] = source.text.trimStart().split('\n', 1);
  if (/^#!/.test(first)) wrong('this is a script; it was not run. A file that begins with #cloud-config is wanted');
  else if (/^(content-type|mime-version|#include|## template)/i.test(first))
    wrong('this form of user-data is not read; one that begins with #cloud-config is wanted');
  if (reading.notes.length > 0) return reading;

  const yaml = new Yaml(source);
  reading.notes = yaml.notes;
  const { content } = yaml;
  if (content === undefined) return reading;
  if (!isRecord(content)) {
    yaml.note('mistake', [], 'keys and values such as "hostname: barn" are wanted');
    return reading;
  }
  const at = (path: Path) => ({ file: source.file, line: yaml.line(path) });
  hideSecrets(yaml, [], content, reading);

  const keys: string[] = [];
  const users: string[] = [];
  for (const [key, value] of Object.entries(content)) {
    if (key === 'hostname') {
      const name = take(yaml, [key], value, hostnameSchema);
      if (name) reading.says.hostname = { ...at([key]), value: name };
    } else if (key === 'timezone') {
      const zone = take(yaml, [key], value, timezoneSchema(zoneinfo));
      if (zone) reading.says.timezone = { ...at([key]), value: zone };
    } else if (key === 'user' || key === 'users') {
      for (const [path, user] of listed(value, [key])) {
        if (!isRecord(user)) continue;
        if (typeof user.name === 'string') users.push(user.name);
        keys.push(...readKeys(yaml, [...path, 'ssh_authorized_keys'], user.ssh_authorized_keys ?? user['ssh-authorized-keys']));
        for (const secret of SECRET_KEYS) {
          if (user[secret] !== undefined)
            yaml.note('unused', [...path, secret], `${secret} is not used: Ledge has no password logins; give an SSH key`);
        }
      }
    } else if (key === 'ssh_authorized_keys') {
      keys.push(...readKeys(yaml, [key], value));
    } else if (key === 'runcmd') {
      readCommands(yaml, [key], value, reading);
    } else if (key === 'ssh_pwauth' && ['true', 'yes', 'on', '1'].includes(String(value).toLowerCase())) {
      yaml.note('unused', [key], 'signing in over SSH with a password is not possible; give an SSH key');
    } else if (!SILENT_KEYS.includes(key)) {
      yaml.note('unused', [key], `${key}: ${WHY_UNUSED[key] ?? 'Ledge does not use this'}`);
    }
  }
  if (keys.length > 0) {
    reading.says.sshKeys = { ...at(content.user === undefined ? ['users'] : ['user']), value: keys };
    const other = users.find((name) => name !== 'ledge');
    if (other !== undefined) yaml.note('unused', ['users'], `no user ${other} is made: sign in over SSH as ledge`);
  }
  return reading;
}

/** Reads cloud-init's `meta-data`: of it only `local-hostname` says something. */
export function readMetaData(source: Source): Reading {
  const reading = emptyReading();
  const yaml = new Yaml(source);
  reading.notes = yaml.notes;
  const { content } = yaml;
  if (!isRecord(content)) return reading;
  for (const key of ['local-hostname', 'hostname']) {
    const name = content[key] === undefined ? undefined : take(yaml, [key], content[key], hostnameSchema);
    if (name) reading.says.hostname ??= { file: source.file, line: yaml.line([key]), value: name };
  }
  return reading;
}

function listed(value: Plain, path: Path): [Path, Plain][] {
  return Array.isArray(value) ? value.map((item, i) => [[...path, i], item]) : [[path, value]];
}

function readKeys(yaml: Yaml, path: Path, value: Plain | undefined): string[] {
  if (value === undefined) return [];
  return listed(value, path).flatMap(([at, key]) => take(yaml, at, key, sshKeySchema, true) ?? []);
}

function readCommands(yaml: Yaml, path: Path, value: Plain, reading: Reading): void {
  let others = 0;
  let connect = false;
  for (const [at, command] of listed(value, path)) {
    const words: [Path, Plain][] = Array.isArray(command) ? listed(command, at) : [[at, command]];
    const line = words
      .map(([, word]) => String(word))
      .join(' ')
      .replace(/^sh -c /, '');
    const [, code] = COUNTRY_COMMAND.exec(line) ?? [];
    const country = countrySchema.safeParse(code);
    if (country.success) reading.says.country = { file: yaml.source.file, line: yaml.line(at), value: country.data };
    else if (CONNECT_COMMAND.test(line)) {
      connect = true;
      for (const [where, word] of words) {
        const secret = String(word).includes('printf') && yaml.secret(where, 'unused');
        if (secret) reading.secrets.push(secret);
      }
    } else if (!NEEDLESS_COMMANDS.test(line) && !isTaken(line)) others++;
  }
  if (connect) yaml.note('unused', path, 'Raspberry Pi Connect is not part of Ledge');
  if (others > 0) yaml.note('unused', path, `${others === 1 ? 'one command is' : `${others} commands are`} not run`);
}

/** Every text below a key that is said to hold a password, in the whole file. */
function hideSecrets(yaml: Yaml, path: Path, value: Plain, reading: Reading): void {
  if (typeof value === 'string') return;
  for (const [key, inner] of Array.isArray(value) ? value.map((item, i) => [i, item] as const) : Object.entries(value)) {
    const below = [...path, key];
    const isSecret = SECRET_KEYS.includes(String(key)) || path.at(-1) === 'list' || (key === 'list' && path.at(-1) === 'chpasswd');
    if (typeof inner === 'string' && isSecret && !isTaken(inner)) {
      const secret = yaml.secret(below, 'unused');
      if (secret) reading.secrets.push(secret);
    }
    hideSecrets(yaml, below, inner, reading);
  }
}
