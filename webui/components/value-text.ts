import { bytesText, dateTimeText, numberText, spanText } from '../client/format.ts';
import { durationSeconds, namedStates, type PropertyInfo, textOf } from '../client/homie.ts';

import { words } from '../words/words.ts';

/** How the two states of a switch are called: as its thing says, or on and off. */
export function booleanWords(format: string): { on: string; off: string } {
  const { on, off } = words('shell');
  return namedStates(format) ?? { on, off };
}

/** From here on so many seconds or bytes are read better in larger units. */
const LONG_S = 120;
const MANY_BYTES = 2048;

/** A value as people read it, with its unit. What is not as the datatype says is shown as it came. */
export function reading(info: Pick<PropertyInfo, 'datatype' | 'format' | 'unit'>, payload: string): { text: string; unit: string } {
  const { datatype, format, unit } = info;
  const plain = (text: string) => ({ text, unit });
  switch (datatype) {
    case 'float':
    case 'integer': {
      const value = Number(payload);
      if (payload === '' || !Number.isFinite(value)) return plain(payload);
      if (unit === 's' && value >= LONG_S) return { text: spanText(value), unit: '' };
      if (unit === 'B' && value >= MANY_BYTES) return { text: bytesText(value), unit: '' };
      return plain(numberText(value));
    }
    case 'boolean':
      if (payload !== 'true' && payload !== 'false') return plain(payload);
      return plain(booleanWords(format)[payload === 'true' ? 'on' : 'off']);
    case 'datetime': {
      const ms = Date.parse(payload);
      return plain(Number.isNaN(ms) ? payload : dateTimeText(ms));
    }
    case 'duration': {
      const seconds = durationSeconds(payload);
      return plain(seconds === undefined ? payload : spanText(seconds));
    }
    default:
      return plain(textOf(payload));
  }
}

/** The same as one text. */
export function readingText(info: Pick<PropertyInfo, 'datatype' | 'format' | 'unit'>, payload: string): string {
  const { text, unit } = reading(info, payload);
  return unit === '' ? text : `${text}\u00a0${unit}`;
}
