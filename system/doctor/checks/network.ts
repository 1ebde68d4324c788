import { type Check, ok, skipped, warning } from '../check.ts';
import type { Facts } from '../facts.ts';
import { Unseen } from '../ports.ts';

const RFKILL = '/sys/class/rfkill';

function reachable(facts: Facts): string[] {
  try {
    return facts.ports
      .addresses()
      .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address))
      .map(({ interface: name, address }) => `${address} (${name})`);
  } catch (error) {
    throw new Unseen(`the addresses may not be seen: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export const network: Check = {
  name: 'network',
  title: 'Network',
  look(facts) {
    const addresses = reachable(facts);
    return ok(addresses.length > 0 ? addresses.join(', ') : 'no address: nobody reaches this box over a network');
  },
};

export const radio: Check = {
  name: 'radio',
  title: 'Wi-Fi radio',
  imageOnly: true,
  async look({ ports: { files } }) {
    const word = async (switched: string, file: string) => (await files.read(`${RFKILL}/${switched}/${file}`))?.trim();
    let seen = 0;
    for (const switched of await files.list(RFKILL)) {
      if ((await word(switched, 'type')) !== 'wlan') continue;
      seen++;
      const name = await word(switched, 'name');
      if ((await word(switched, 'hard')) === '1')
        return warning(`${name} is switched off by hardware`, 'on', 'look for a switch or jumper');
      if ((await word(switched, 'soft')) === '1')
        return warning(
          `${name} is switched off by software`,
          'on',
          'a Wi-Fi country switches it on: set wifi country in ledge.yaml on the card',
        );
    }
    return seen > 0 ? ok('the radio is on') : skipped('this machine has no Wi-Fi');
  },
};

/** The country in force: the radio may use its channels only. */
async function country(facts: Facts): Promise<string | undefined> {
  const { run, files } = facts.ports;
  try {
    const output = await run('iw', ['reg', 'get']);
    const codes = [...output.stdout.matchAll(/^country ([A-Z0-9]{2}):/gm)].map((match) => match[1] ?? '');
    if (codes.length > 0) return codes.find((code) => /^[A-Z]{2}$/.test(code));
  } catch (error) {
    if (!(error instanceof Unseen)) throw error;
  }
  const asked = (await files.read('/sys/module/cfg80211/parameters/ieee80211_regdom'))?.trim();
  return asked && /^[A-Z]{2}$/.test(asked) ? asked : undefined;
}

export const wifiCountry: Check = {
  name: 'wifi-country',
  title: 'Wi-Fi country',
  imageOnly: true,
  async look(facts) {
    const { files } = facts.ports;
    if ((await files.list('/sys/class/ieee80211')).length === 0) return skipped('this machine has no Wi-Fi');
    const code = await country(facts);
    if (code) return ok(code);
    let used = false;
    for (const name of await files.list('/sys/class/net')) {
      if (!(await files.has(`/sys/class/net/${name}/phy80211`))) continue;
      used ||= (await files.read(`/sys/class/net/${name}/operstate`))?.trim() === 'up';
    }
    if (!used && reachable(facts).length > 0) return ok('none; Wi-Fi is not used');
    return warning(
      'none',
      'the country that the box is in',
      'without it some channels are forbidden: set wifi country in ledge.yaml on the card',
    );
  },
};
