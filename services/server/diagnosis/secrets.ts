import { isMap, isScalar, isSeq, parseDocument } from 'yaml';

export const HIDDEN = '***';

const SECRET_WORD = 'pass(?:w(?:or)?d|phrase|code)?|token|secret|key|psk|credentials?|authorization|cookie|hash';
const isSecretKey = (key: string) =>
  new RegExp(`(?:${SECRET_WORD})$`, 'i').test(key) || /passw|passphrase|secret|token|credential/i.test(key);

/** Each is what must not leave the box, in whatever text it stands. */
const PATTERNS: readonly [RegExp, string][] = [
  // a password may have a slash or an @ in it; rather too much than too little
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s"'<>]*:[^\s"'<>]*@/gi, `$1${HIDDEN}@`],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${HIDDEN}`],
  [/\bldg_[\w-]{8,}/g, HIDDEN],
  [/\bscrypt\$\S+/g, HIDDEN],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN],
  [
    new RegExp(`([\\w.-]*(?:${SECRET_WORD})["']?\\s*[:=]\\s*)("(?:\\\\.|[^"\\\\])*"|'[^']*'|[^\\s,;&}\\]"'][^\\n,;&}\\]"']*)`, 'gi'),
    `$1${HIDDEN}`,
  ],
];

/**
 * Takes out of what is given away whatever looks like a secret: values of keys such as `wifiPassword`, credentials in URLs, tokens, and the
 * secrets of this box wherever they stand.
 */
export class SecretFilter {
  readonly #known: readonly string[];

  /** @param known secrets of this box, word for word */
  constructor(known: readonly string[]) {
    // a short word would be found everywhere, and is no secret
    this.#known = known.filter((secret) => secret.length >= 8);
  }

  /** For one line, or some prose. */
  text(text: string): string {
    const known = this.#known.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text);
    return PATTERNS.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), known);
  }

  /** For what becomes JSON. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inside]) => [this.text(key), isSecretKey(key) && !isHarmless(inside) ? HIDDEN : this.value(inside)]),
    );
  }

  /** For YAML that people wrote, with its comments and order. What cannot be read as YAML is taken line by line. */
  yaml(text: string): string {
    const document = parseDocument(text);
    if (document.errors.length > 0) return this.text(text);
    this.#hide(document.contents);
    return this.text(document.toString());
  }

  #hide(node: unknown): void {
    if (isSeq(node)) for (const item of node.items) this.#hide(item);
    if (!isMap(node)) return;
    for (const pair of node.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      if (isSecretKey(key) && pair.value !== null) pair.value = document(HIDDEN);
      else this.#hide(pair.value);
    }
  }
}

const document = (value: string) => parseDocument(JSON.stringify(value)).contents;

/** `setupNeeded: true`, `tokens: 3`: a number or a flag gives nothing away, and helps. */
const isHarmless = (value: unknown) => typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined;
