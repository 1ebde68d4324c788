import type en from '../en/system.ts';
import type { Translated } from '../words.ts';

export default {
  title: 'Système',
} satisfies Translated<typeof en>;
