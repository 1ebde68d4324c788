import { signal } from '@preact/signals';

/** The languages that there are catalogues for, as each calls itself. */
export const LANGUAGES = { en: 'English', fr: 'Français' } as const;
export type Language = keyof typeof LANGUAGES;

/** What the page speaks now; numbers, times and sizes follow it. */
export const language = signal<Language>('en');

/** The first of somebody's languages that there is a catalogue for. */
export function languageFor(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split('-')[0] ?? '';
    if (Object.hasOwn(LANGUAGES, base)) return base as Language;
  }
  return 'en';
}

/** The language as somebody's own country writes it: `en` is `en-GB` for whoever has that. */
const regional = (tag: Language): string =>
  globalThis.navigator?.languages?.find((wanted) => wanted.toLowerCase().startsWith(`${tag}-`)) ?? tag;

/** Making a formatter is slow, so each is made once for a language. */
function perLanguage<F>(make: (tag: string) => F): () => F {
  const made = new Map<string, F>();
  return () => {
    const tag = language.value;
    const known = made.get(tag) ?? make(regional(tag));
    made.set(tag, known);
    return known;
  };
}

const numbers = perLanguage((tag) => new Intl.NumberFormat(tag, { maximumFractionDigits: 2 }));
const smallNumbers = perLanguage((tag) => new Intl.NumberFormat(tag, { maximumSignificantDigits: 3 }));
const oneDigit = perLanguage((tag) => new Intl.NumberFormat(tag, { maximumFractionDigits: 1 }));
const percents = perLanguage((tag) => new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 0 }));
const dateTimes = perLanguage((tag) => new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short' }));
const clockTimes = perLanguage(
  (tag) => new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }),
);
const hours = perLanguage((tag) => new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit' }));
const days = perLanguage((tag) => new Intl.DateTimeFormat(tag, { weekday: 'long', day: 'numeric', month: 'long' }));
const shortDays = perLanguage((tag) => new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short' }));
const plurals = perLanguage((tag) => new Intl.PluralRules(tag));

/** A reading: two digits after the comma, or three that count for small ones. */
export const numberText = (value: number): string =>
  value !== 0 && Math.abs(value) < 0.1 ? smallNumbers().format(value) : numbers().format(value);

/** `0.42` → `42 %`, as the language writes it. */
export const percentText = (share: number): string => percents().format(share);
/** A moment with its day. */
export const dateTimeText = (ms: number): string => dateTimes().format(ms);
/** The time of day as it stands on a clock. */
export const hourText = (ms: number): string => hours().format(ms);
/** The day with its name: `Monday 24 November`. */
export const dayText = (ms: number): string => days().format(ms);
/** A day in few signs, as under a chart. */
export const shortDayText = (ms: number): string => shortDays().format(ms);
/** The time of day with seconds, for log lines. */
export const clockText = (ms: number): string => clockTimes().format(ms);
/** `3 things`, `1 thing`: a number with the word that it wants. */
export const counted = (count: number, one: string, many: string, shown = String(count)): string => `${shown} ${plural(count, one, many)}`;
/** Which of two words a number wants. */
export const plural = (count: number, one: string, many: string): string => (plurals().select(count) === 'one' ? one : many);

const SIZES = { en: ['B', 'KiB', 'MiB', 'GiB', 'TiB'], fr: ['o', 'Kio', 'Mio', 'Gio', 'Tio'] } as const;
/** `1536` → `1.5 KiB`. */
export function bytesText(bytes: number): string {
  const units = SIZES[language.value];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** step;
  return `${value < 10 && step > 0 ? oneDigit().format(value) : numbers().format(Math.round(value))}\u00a0${units[step]}`;
}

const UNITS = [
  ['d', 'j', 86_400],
  ['h', 'h', 3600],
  ['min', 'min', 60],
  ['s', 's', 1],
] as const;
/** A span in its largest units, two unless told: `3 d 4 h`. */
export function spanText(seconds: number, units = 2): string {
  const rest = Math.max(0, Math.floor(seconds));
  const at = UNITS.findIndex(([, , size]) => rest >= size);
  if (at < 0) return '0 s';
  const parts = UNITS.slice(at, at + units).map(([en, fr, size], i) => {
    const over = i === 0 ? rest : rest % (UNITS[at]?.[2] ?? 1);
    return [Math.floor(over / size), language.value === 'fr' ? fr : en] as const;
  });
  return parts
    .filter(([count], i) => i === 0 || count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}
