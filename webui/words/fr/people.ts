import type en from '../en/people.ts';
import type { Translated } from '../words.ts';

export default {
  title: 'Personnes',
} satisfies Translated<typeof en>;
