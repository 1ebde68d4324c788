import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Commands that can run at the same time. */
export const SHELLS = 3;
export const portName = (shell: number) => `ledge.tests.${shell}`;

/**
 * In the guest: a request is `id seconds scriptBytes inputBytes` and those bytes; the answer `id code outBytes errBytes` and those.
 * `hello` is said with the boot's id at the start, and when asked for.
 */
const SCRIPT = `
serve() {
  port=/dev/virtio-ports/ledge.tests.$1 dir=/run/ledge-tests/$1
  mkdir -p "$dir"
  until [ -e "$port" ]; do sleep 0.1; done
  exec 3<>"$port"
  read -r boot </proc/sys/kernel/random/boot_id
  # writing waits until somebody listens at the other end; reading ends when they leave
  while printf 'hello %s\\n' "$boot" >&3; do
    while read -r id seconds script input <&3; do
      if [ "$id" = hello ]; then printf 'hello %s\\n' "$boot" >&3; continue; fi
      head -c "$script" <&3 >"$dir/script"
      head -c "$input" <&3 >"$dir/in"
      # what a command starts may be killed for memory as anything else
      (echo 0 >/proc/self/oom_score_adj; exec timeout -k 1 "$seconds" bash "$dir/script") <"$dir/in" >"$dir/out" 2>"$dir/err" 3>&-
      code=$?
      printf '%s %s %s\\n' "$id" "$code" "$(stat -c %s "$dir/out" "$dir/err" | tr '\\n' ' ')" >&3
      cat "$dir/out" "$dir/err" >&3
    done
    sleep 0.1
  done
}
for shell in ${Array.from({ length: SHELLS }, (_, shell) => shell).join(' ')}; do serve $shell & done
wait
`;

/** Early, and never killed for memory, nor stopped with a command that was: the tests ask also a box that is not well. */
const UNIT = `[Unit]
Description=Root shells of the VM tests (given by QEMU, not part of the image)
DefaultDependencies=no
After=systemd-tmpfiles-setup-dev.service

[Service]
ImportCredential=s
ExecStart=/bin/bash %d/s
Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
OOMScoreAdjust=-1000
OOMPolicy=continue
Restart=always
`;

/** The port's appearance starts it. */
const RULE = `SUBSYSTEM=="virtio-ports", ATTR{name}=="${portName(0)}", TAG+="systemd", ENV{SYSTEMD_WANTS}+="t.service"\n`;

/**
 * systemd takes units from its hypervisor (systemd.system-credentials(7)): so the tests have a root shell, and the image has no door.
 * QEMU allows 55 characters for a name, which is why these are so short.
 * @returns QEMU's arguments
 */
export function rootShellArguments(folder: string): string[] {
  const credentials = {
    'systemd.extra-unit.t.service': UNIT,
    'udev.rules.t': RULE,
    s: SCRIPT,
  };
  return Object.entries(credentials).flatMap(([name, content], i) => {
    const file = join(folder, `credential-${i}`);
    writeFileSync(file, content);
    return ['-fw_cfg', `name=opt/io.systemd.credentials/${name},file=${file}`];
  });
}
