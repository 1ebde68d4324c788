import { readFileSync, writeFileSync } from 'node:fs';
import { applianceOf } from './vm/appliance.ts';
import { newBox } from './vm/box.ts';

const out = '/tmp/vmdoctor';
const box = await newBox('try-doctor');
const save = (name: string, text: string) => {
  writeFileSync(`${out}/${name}`, text);
  console.log(`${name}: ${text.length}`);
};
try {
  await box.powerOn();
  console.log('up', await box.up(480_000).catch((e: Error) => e.message.slice(0, 500)));
  await box.shell();
  const run = async (name: string, script: string, input?: string) => {
    const started = performance.now();
    const r = await box.exec(script, { seconds: 120, ...(input ? { input } : {}) });
    save(name, `$ ${script}\n=> ${r.code} in ${Math.round(performance.now() - started)} ms\n${r.out}\n--- stderr\n${r.err}`);
  };
  await run(
    'put',
    'cat > /tmp/cli.mjs; chmod 644 /tmp/cli.mjs; ls -l /tmp/cli.mjs /usr/lib/ledge/',
    readFileSync('/work/main/dist/cli.mjs', 'utf8'),
  );
  await run('root-doctor', 'node /tmp/cli.mjs doctor');
  await run('root-doctor-json', 'node /tmp/cli.mjs doctor --json');
  await run('ledge-status', 'runuser -u ledge -- ledge');
  await run('ledge-status2', 'time runuser -u ledge -- node /tmp/cli.mjs status');
  await run('ledge-doctor', 'time runuser -u ledge -- node /tmp/cli.mjs doctor');
  await run('ledge-logs', 'runuser -u ledge -- node /tmp/cli.mjs logs -n 20; runuser -u ledge -- node /tmp/cli.mjs logs sse -n 3');
  await run('ledge-version', 'time runuser -u ledge -- node /tmp/cli.mjs version');
  await run(
    'ledge-restart',
    'time runuser -u ledge -- node /tmp/cli.mjs restart media; runuser -u ledge -- node /tmp/cli.mjs restart ghost; runuser -u ledge -- node /tmp/cli.mjs restart import',
  );
  await run(
    'raw-systemctl',
    'systemctl show --property=Id,LoadState,ActiveState,SubState,Result,Type,NRestarts,WatchdogUSec,MemoryCurrent,MemoryMax,ActiveEnterTimestampMonotonic,ExecMainExitTimestampMonotonic,MainPID -- ledge.target ledge-broker.service ledge-import.service ledge-boot-complete.service ledge-boot-lasted.service ledge-nope.service; systemctl show -p SystemState,RuntimeWatchdogUSec,RebootWatchdogUSec,WatchdogDevice,WatchdogLastPingTimestamp; systemctl show -p Wants,Requires ledge.target; systemctl list-units --state=failed --plain --no-legend --full',
  );
  await run(
    'raw-rauc',
    'rauc status --output-format=json; runuser -u ledge -- rauc status --output-format=json; runuser -u ledge-sse -- rauc status --output-format=json',
  );
  await run(
    'raw-fw',
    'fw_printenv BOOT_ORDER BOOT_A_LEFT; runuser -u ledge -- fw_printenv BOOT_ORDER BOOT_A_LEFT; runuser -u ledge-sse -- fw_printenv BOOT_ORDER',
  );
  await run(
    'raw-time',
    'timedatectl show; runuser -u ledge -- timedatectl show; ls -l /run/systemd/timesync; iw reg get; runuser -u ledge -- iw reg get',
  );
  await run(
    'raw-journal',
    'journalctl --boot --no-pager -o json --grep="ordering cycle" SYSLOG_IDENTIFIER=systemd; runuser -u ledge-sse -- journalctl --boot --no-pager -o json --grep="ordering cycle" SYSLOG_IDENTIFIER=systemd; journalctl -b -n 5 -o json --all; journalctl -b --no-pager -p warning | tail -60',
  );
  await run(
    'raw-files',
    'cat /run/ledge-boot.env /proc/cmdline /proc/self/mountinfo /proc/swaps; cat /usr/lib/ledge/release.json; ls -la /var/lib/ledge /run/ledge /var/lib/ledge/crash; cat /var/lib/ledge/crash/boots.log; grep . /sys/class/watchdog/*/* ; grep oom_kill /proc/vmstat; ls -R /var/etc/upper; cat /var/lib/ledge/system/import-report.json',
  );
  const ledge = await applianceOf(box);
  const doctor = await ledge.api('GET', '/api/server/doctor');
  save('server-doctor', JSON.stringify(doctor, undefined, 1));
  save('server-machine', JSON.stringify(await ledge.api('GET', '/api/server/machine'), undefined, 1));
  save('server-reset-wrong', JSON.stringify(await ledge.api('POST', '/api/server/machine/factory-reset', { confirm: 'x' })));
  await run('denied', 'journalctl -b --no-pager | grep -iE "denied|not permitted|EACCES|EPERM|rejected" | tail -40');
  const reboot = await ledge.api('POST', '/api/server/machine/reboot', {});
  save('server-reboot', JSON.stringify(reboot));
  console.log(
    'boot line',
    await box.console.wait(/^Ledge: slot A/, 120_000, { from: box.console.lines.length }).then(
      (l) => l.text,
      (e: Error) => e.message.slice(0, 300),
    ),
  );
} finally {
  await box.remove();
}
