const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** A span for people, in its two largest units: `3 d 4 h`. */
export function span(seconds: number): string {
  let left = Math.max(0, Math.round(seconds));
  const words: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) words.push(`${count} ${unit}`);
    if (words.length === 2 || (words.length === 1 && count === 0)) break;
  }
  return words.join(' ') || '0 s';
}

/** Bytes for people: `41 MB`, `1.2 GB`; in powers of 1024. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const steps = ['KB', 'MB', 'GB', 'TB'] as const;
  let value = bytes / 1024;
  let step = 0;
  while (value >= 1024 && step < steps.length - 1) {
    value /= 1024;
    step++;
  }
  return `${value < 10 && step > 1 ? value.toFixed(1) : Math.round(value)} ${steps[step]}`;
}

/** The first line of a text, for a sentence. */
export const firstLine = (text: string) => text.trim().split('\n', 1)[0]?.trim() ?? '';

/** A few of many: `a, b, c and 4 more`. */
export function some(names: readonly string[], most = 4): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

export const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** With its article: `an overlay`, `a tmpfs`. */
export const withArticle = (noun: string) => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
