import type en from '../en/backup.ts';
import type { Translated } from '../words.ts';

export default {
  title: 'Sauvegarde',
} satisfies Translated<typeof en>;
