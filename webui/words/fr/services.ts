import type en from '../en/services.ts';
import type { Translated } from '../words.ts';

export default {
  title: 'Services',
} satisfies Translated<typeof en>;
