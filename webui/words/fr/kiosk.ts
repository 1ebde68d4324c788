import type en from '../en/kiosk.ts';
import type { Translated } from '../words.ts';

export default {
  title: 'Kiosque',
} satisfies Translated<typeof en>;
