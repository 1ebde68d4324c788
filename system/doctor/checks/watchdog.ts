import { type Check, fault, ok, skipped, warning } from '../check.ts';
import { parseSpan } from '../systemd.ts';
import { plural, some, span } from '../words.ts';
import { serviceUnits } from './units.ts';

const isOn = (seconds: number | undefined): seconds is number => seconds !== undefined && seconds > 0 && Number.isFinite(seconds);
const CLASS = '/sys/class/watchdog';

/** The last in the chain: a chip that restarts the board when nobody feeds it. */
export const watchdogHardware: Check = {
  name: 'watchdog-hardware',
  title: 'Watchdog: hardware',
  imageOnly: true,
  async look({ ports: { files } }) {
    const names = await files.list(CLASS);
    const word = async (name: string, file: string) => (await files.read(`${CLASS}/${name}/${file}`))?.trim();
    const described: string[] = [];
    for (const name of names) {
      const identity = (await word(name, 'identity')) ?? name;
      const state = await word(name, 'state');
      if (state === 'active') return ok(`${identity} is active and waits ${await word(name, 'timeout')} s`);
      described.push(`${identity} is ${state ?? 'silent about its state'}`);
    }
    if (names.length === 0) return warning('this machine has no watchdog', 'one that restarts it when the system hangs');
    return fault(described.join(', '), 'a watchdog that is active', 'systemd opens it at the start: journalctl -b -g watchdog');
  },
};

/** Feeds the hardware as long as systemd itself lives. */
export const watchdogSystemd: Check = {
  name: 'watchdog-systemd',
  title: 'Watchdog: systemd',
  imageOnly: true,
  async look(facts) {
    const { RuntimeWatchdogUSec, WatchdogDevice } = await facts.manager();
    const seconds = parseSpan(RuntimeWatchdogUSec);
    if (isOn(seconds)) return ok(`systemd feeds ${WatchdogDevice || 'the hardware'}, which would wait ${span(seconds)}`);
    return fault('systemd feeds no hardware watchdog', 'RuntimeWatchdogSec= above zero', 'it is set in /usr/lib/systemd/system.conf.d');
  },
};

/** systemd restarts a service that does not say that it is well. */
export const watchdogServices: Check = {
  name: 'watchdog-services',
  title: 'Watchdog: services',
  imageOnly: true,
  async look(facts) {
    const watched = [...(await serviceUnits(facts))].filter(([, unit]) => unit.LoadState === 'loaded' && unit.Type !== 'oneshot');
    const unwatched = watched.filter(([, unit]) => !isOn(parseSpan(unit.WatchdogUSec))).map(([name]) => name);
    if (watched.length === 0) return skipped('there is no service to be watched');
    if (unwatched.length === 0) return ok(`${plural(watched.length, 'service')} watched`);
    return fault(`nobody watches ${some(unwatched)}`, 'WatchdogSec= in each service', 'a service that hangs would stay so');
  },
};

/** The first in the chain: from power on until systemd takes over. */
export const watchdogFirmware: Check = {
  name: 'watchdog-firmware',
  title: 'Watchdog: start',
  imageOnly: true,
  async look(facts) {
    const word = (await facts.commandLine()).get('ledge.watchdog');
    if (word === undefined) return skipped('the boot loader does not say whether it set a watchdog');
    if (!/^(0|no|off|none|failed|missing|false)$/.test(word)) return ok(`the boot loader set a watchdog (${word || 'yes'})`);
    const board = (await facts.ports.files.read('/sys/firmware/devicetree/base/model'))?.replace(/\0.*$/, '');
    if (!board?.startsWith('Raspberry Pi')) return skipped('the boot loader knows no watchdog of this machine');
    return warning(
      'the boot loader set no watchdog',
      'one that ends a start that hangs',
      'the board may have none that the boot loader knows',
    );
  },
};
