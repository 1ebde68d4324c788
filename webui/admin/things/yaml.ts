/** The few lines of a thing file that the form writes; everything else of the text stays as it is, with its comments. */

const PLAIN = /^[\p{L}\p{N}][\p{L}\p{N} _.()/-]*$/u;
const NOT_TEXT = /^(true|false|yes|no|on|off|null|~|[\d.+-].*)$/i;

/** A text as YAML reads it again. */
export const scalar = (text: string): string =>
  PLAIN.test(text) && text.trim() === text && !NOT_TEXT.test(text) ? text : JSON.stringify(text);

/** The value of a key that stands alone on its line at the top of a thing file. */
export function topValue(yaml: string, key: string): string | undefined {
  const value = new RegExp(`^${key}:[ \\t]+(.+)$`, 'm').exec(yaml)?.[1]?.trim();
  if (value === undefined) return undefined;
  try {
    if (value.startsWith('"')) return String(JSON.parse(value));
  } catch {
    // whatever stands there is shown
  }
  return value.startsWith("'") ? value.slice(1, -1).replaceAll("''", "'") : value.replace(/\s+#.*$/, '');
}

/** The text with another value of that key; an empty one takes the line away, a new one comes after `after` or first. */
export function withTopValue(yaml: string, key: string, value: string, after?: string): string {
  const line = new RegExp(`^${key}:.*\n?`, 'm');
  const wanted = value.trim() === '' ? '' : `${key}: ${scalar(value.trim())}\n`;
  if (line.test(yaml)) return yaml.replace(line, () => wanted);
  if (wanted === '') return yaml;
  const before = after === undefined ? undefined : new RegExp(`^${after}:.*\n`, 'm').exec(yaml);
  const at = before ? before.index + before[0].length : 0;
  return yaml.slice(0, at) + wanted + yaml.slice(at);
}
