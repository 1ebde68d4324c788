import type en from '../en/things.ts';
import type { Translated } from '../words.ts';

export default {
  title: 'Objets',
} satisfies Translated<typeof en>;
