import type { Machine } from './machine.ts';

/** What the initramfs found and did, `/run/ledge-boot.env`. */
export async function bootFacts(box: Machine): Promise<Record<string, string>> {
  const text = await box.sh('cat /run/ledge-boot.env');
  return Object.fromEntries(
    text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).replaceAll('"', '')]),
  );
}

/** The slot state as the box's own tool reads it. */
export async function slotVariables(box: Machine): Promise<Record<string, string>> {
  const text = await box.sh('fw_printenv');
  return Object.fromEntries(text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** Units that failed, by name. */
export async function failedUnits(box: Machine): Promise<string[]> {
  const text = await box.sh('systemctl list-units --failed --plain --no-legend');
  return text.split('\n').flatMap((line) => line.split(' ')[0] || []);
}

/** The journal of this boot: lines that match, without those that `known` explains. */
export async function journalLines(box: Machine, pattern: RegExp, known: readonly RegExp[] = []): Promise<string[]> {
  const text = await box.sh('journalctl --boot --no-pager --output=short-monotonic', { seconds: 120 });
  return text.split('\n').filter((line) => pattern.test(line) && !known.some((explained) => explained.test(line)));
}

/** Everything that makes a box itself: ids, keys, certificates, secrets, as one text per thing (secrets as their checksums). */
export async function identityOf(box: Machine): Promise<Record<string, string>> {
  const text = await box.sh(`
    echo "edge-id $(cat /var/lib/ledge/edge-id)"
    echo "machine-id $(cat /etc/machine-id)"
    echo "hostname $(hostname)"
    echo "host-key $(cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub)"
    cd /var/lib/ledge/secrets && find . -type f -size +0 | sort | while read -r file; do echo "$file $(sha256sum <"$file" | cut -d' ' -f1)"; done`);
  return Object.fromEntries(text.split('\n').map((line) => line.split(' ') as [string, string]));
}
