import { durationMs, formatPayload, Problem, type PropertyConfig, parsePayload, type Sampling, shown, type Value } from '@ledge/contract';

/** Binary floats carry about 15 digits; 12 of them hide 21.400000000000002 and lose nothing that a sensor knows. */
const SIGNIFICANT_DIGITS = 12;
const tidy = (value: number) => Number(value.toPrecision(SIGNIFICANT_DIGITS));

/**
 * What a driver read, as the property's value: scaled, moved, rounded, and of the right datatype.
 * @throws Problem `sensor-failed` when it is no value of that datatype, or outside of what is believed.
 */
export function toValue(config: PropertyConfig, raw: Value): Value {
  const { datatype, min, max, scale = 1, offset = 0, unit = '' } = config;
  if (datatype === 'float' || datatype === 'integer') {
    const measured = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
    if (typeof measured !== 'number' || !Number.isFinite(measured)) {
      throw new Problem('sensor-failed', `it reads ${shown(raw)}; a number is wanted`);
    }
    const scaled = tidy(measured * scale + offset);
    const value = datatype === 'integer' ? Math.round(scaled) : scaled;
    if ((min !== undefined && value < min) || (max !== undefined && value > max)) {
      throw new Problem('sensor-failed', `it reads ${value} ${unit}; ${rangeText(config)} is believed`.replace(/ +;/, ';'));
    }
    return value;
  }
  if (datatype === 'boolean' && typeof raw === 'number') return raw !== 0;
  const parsed = parsePayload(datatype, formatPayload(raw), { values: config.values });
  if (!parsed.ok) throw new Problem('sensor-failed', `it reads ${shown(raw)}; ${parsed.wanted}`);
  return parsed.value;
}

/** The raw value for a driver: {@link toValue} the other way round. */
export function toRaw(config: PropertyConfig, value: Value): Value {
  const { scale = 1, offset = 0 } = config;
  if (typeof value !== 'number' || (scale === 1 && offset === 0)) return value;
  return tidy((value - offset) / scale);
}

function rangeText({ min, max }: PropertyConfig): string {
  if (min === undefined) return `${max} or less`;
  return max === undefined ? `${min} or more` : `${min} to ${max}`;
}

/** Decides which values of one property are said: all, or those that differ, moved far enough, or are due again. */
export class Sampler {
  readonly #onChange: boolean;
  readonly #threshold: number | undefined;
  readonly #atLeastEveryMs: number;
  #last: { value: Value; timeMs: number } | undefined;

  constructor({ onChange, threshold, atLeastEvery }: Sampling) {
    this.#onChange = onChange;
    this.#threshold = threshold;
    this.#atLeastEveryMs = atLeastEvery === undefined ? Number.POSITIVE_INFINITY : durationMs(atLeastEvery);
  }

  /** Is this value to be said? If so it is remembered as the last one said. `timeMs` as of a monotonic clock. */
  admits(value: Value, timeMs: number): boolean {
    const last = this.#last;
    if (last && !this.#differs(last.value, value) && timeMs - last.timeMs < this.#atLeastEveryMs) return false;
    this.note(value, timeMs);
    return true;
  }

  /** Remembers a value that was said whatever the rules are. */
  note(value: Value, timeMs: number): void {
    this.#last = { value, timeMs };
  }

  #differs(last: Value, value: Value): boolean {
    if (this.#threshold !== undefined && typeof last === 'number' && typeof value === 'number') {
      return tidy(Math.abs(value - last)) >= this.#threshold;
    }
    return this.#onChange || this.#threshold !== undefined ? value !== last : true;
  }
}
