/** What systemd's tools print, read. Pure. */

/** `systemctl show` of several units: blocks of `Key=value`, each by its `Id`. */
export function parseUnits(text: string): Map<string, Record<string, string>> {
  const units = new Map<string, Record<string, string>>();
  for (const block of text.split(/\n\s*\n/)) {
    const unit = parseProperties(block);
    if (unit.Id) units.set(unit.Id, unit);
  }
  return units;
}

/** Lines of `Key=value`. */
export function parseProperties(text: string): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) properties[line.slice(0, at)] = line.slice(at + 1);
  }
  return properties;
}

const SECONDS: Record<string, number> = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86_400, day: 86_400, days: 86_400, w: 604_800 };

/**
 * A span as systemd writes it (`1min 30s`, `500ms`, `0`, `infinity`, or bare microseconds), in seconds; undefined for other text.
 */
export function parseSpan(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (trimmed === 'infinity') return Number.POSITIVE_INFINITY;
  if (/^\d+$/.test(trimmed)) return Number(trimmed) / 1e6;
  let seconds = 0;
  for (const word of trimmed.split(/\s+/)) {
    const [, number, unit = ''] = /^([\d.]+)([a-z]+)$/.exec(word) ?? [];
    const factor = SECONDS[unit];
    if (number === undefined || factor === undefined) return undefined;
    seconds += Number(number) * factor;
  }
  return seconds;
}

export interface JournalEntry {
  message: string;
  /** The unit that speaks, or that systemd speaks of. */
  unit: string | undefined;
  timeMs: number;
}

/** `journalctl --output=json`: one entry a line. Lines that are none are left out. */
export function parseJournal(text: string): JournalEntry[] {
  const entries: JournalEntry[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) continue;
    try {
      const entry = JSON.parse(line) as Record<string, unknown>;
      const unit = entry.UNIT ?? entry._SYSTEMD_UNIT;
      entries.push({
        message: messageOf(entry.MESSAGE),
        unit: typeof unit === 'string' ? unit : undefined,
        timeMs: Number(entry.__REALTIME_TIMESTAMP) / 1000,
      });
    } catch {
      // cut off by a limit
    }
  }
  return entries;
}

/** systemd's "Journal JSON Format": text; bytes where it is no UTF-8; a list of texts for a field that was given twice. */
export function messageOf(field: unknown): string {
  if (typeof field === 'string') return field;
  if (!Array.isArray(field)) return '';
  if (field.every((byte): byte is number => typeof byte === 'number')) return Buffer.from(field).toString();
  return field.map(messageOf).join(' ');
}
