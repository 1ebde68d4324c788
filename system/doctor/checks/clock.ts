import { type Check, fault, ok, warning } from '../check.ts';
import { Unseen } from '../ports.ts';
import { parseProperties } from '../systemd.ts';
import { firstLine, span } from '../words.ts';

/** Time servers are asked soon after the network is there. */
const SYNCHRONISED_WITHIN_S = 300;
/** systemd-timesyncd touches it at each success (systemd-timesyncd.service(8)). */
const MARK = '/run/systemd/timesync/synchronized';

const atTime = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

export const clockPlausible: Check = {
  name: 'clock',
  title: 'Clock',
  imageOnly: true,
  async look(facts) {
    const { built } = (await facts.release()) ?? {};
    const builtMs = Date.parse(built ?? '');
    const now = facts.ports.now();
    if (Number.isNaN(builtMs)) return ok(`it is ${atTime(now)}; the image does not say when it was built`);
    if (now >= builtMs) return ok(`it is ${atTime(now)}`);
    return fault(
      `it is ${atTime(now)}, before this image was built`,
      `a time after ${atTime(builtMs)}`,
      'the box has no clock that runs without power: let it reach a time server',
    );
  },
};

export const clockSynchronised: Check = {
  name: 'clock-synchronised',
  title: 'Time server',
  async look(facts) {
    const { files, run, now } = facts.ports;
    const output = await run('timedatectl', ['--no-pager', 'show', '--property=NTP,NTPSynchronized']);
    if (output.code !== 0) throw new Unseen(`timedatectl: ${firstLine(output.stderr)}`);
    const { NTPSynchronized, NTP } = parseProperties(output.stdout);
    if (NTPSynchronized === 'yes') {
      const last = await files.changed(MARK).catch(() => undefined);
      return ok(`the clock is synchronised${last === undefined ? '' : `, last ${span((now() - last) / 1000)} ago`}`);
    }
    const uptimeS = await facts.uptimeS();
    if (uptimeS < SYNCHRONISED_WITHIN_S) return ok(`not synchronised yet: the machine started ${span(uptimeS)} ago`);
    return warning(
      `the clock was not synchronised since the start ${span(uptimeS)} ago${NTP === 'no' ? ', and nothing tries to' : ''}`,
      'a clock that follows a time server',
      'history needs the right time: let it reach a time server (UDP port 123)',
    );
  },
};
