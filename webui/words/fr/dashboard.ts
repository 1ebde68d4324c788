import type en from '../en/dashboard.ts';
import type { Translated } from '../words.ts';

export default {
  title: 'Tableau de bord',
} satisfies Translated<typeof en>;
