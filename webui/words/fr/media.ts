import type en from '../en/media.ts';
import type { Translated } from '../words.ts';

export default {
  title: 'Médias',
} satisfies Translated<typeof en>;
